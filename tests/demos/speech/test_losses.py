"""The losses against slow NumPy, and CTC against the sum over all its paths."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from demos.speech.losses import ctc_per_token, masked_mean, smoothed_cross_entropy, token_accuracy

BLANK = 1


def log_softmax(x):
    x = x.astype("float64") - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


@pytest.fixture
def random():
    return np.random.default_rng(0)


def speller_batch(random, batch=3, steps=4, vocabulary=5):
    logits = random.normal(size=(batch, steps, vocabulary)).astype("float32")
    targets = random.integers(0, vocabulary, (batch, steps)).astype("int32")
    return targets, logits, np.arange(steps) < np.array([[4], [1], [0]])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_equals_its_definition(random, smoothing):
    targets, logits, mask = speller_batch(random)
    total = 0.0
    for i, t in zip(*np.nonzero(mask), strict=True):
        p = np.full(5, smoothing / 5)
        p[targets[i, t]] += 1 - smoothing
        total -= p @ log_softmax(logits[i, t])
    loss = smoothed_cross_entropy(targets, logits, mask, smoothing)
    np.testing.assert_allclose(loss, total / 5, rtol=1e-6)


def test_accuracy_is_the_share_of_real_tokens_that_come_first(random):
    targets, logits, mask = speller_batch(random)
    right = [logits[i, t].argmax() == targets[i, t] for i, t in zip(*np.nonzero(mask), strict=True)]
    np.testing.assert_allclose(token_accuracy(targets, logits, mask), np.mean(right), rtol=1e-6)


def test_padded_steps_change_nothing(random):
    targets, logits, mask = speller_batch(random)
    longer = (
        np.pad(targets, [[0, 0], [0, 3]], constant_values=2),
        np.pad(logits, [[0, 0], [0, 3], [0, 0]], constant_values=np.nan),
        np.pad(mask, [[0, 0], [0, 3]]),
    )
    for function in (token_accuracy, smoothed_cross_entropy):
        np.testing.assert_allclose(function(*longer), function(targets, logits, mask), rtol=1e-6)


def test_nothing_real_gives_zero():
    assert float(masked_mean(tf.fill((2, 3), np.nan), tf.zeros((2, 3), "bool"))) == 0
    targets, logits, mask = speller_batch(np.random.default_rng(0))
    assert float(smoothed_cross_entropy(targets, logits, np.zeros_like(mask), 0.1)) == 0


def brute_force(text, log_probs):
    """`-log` of the summed probabilities of the paths that read `text` once repeats and blanks are taken out."""
    frames, vocabulary = log_probs.shape
    total = 0.0
    for path in itertools.product(range(vocabulary), repeat=frames):
        if [token for token, _ in itertools.groupby(path) if token != BLANK] == list(text):
            total += np.exp(sum(log_probs[t, token] for t, token in enumerate(path)))
    return -np.log(total)


TEXTS = [[2, 3, 0], [3, 3], [2], [], [0, 2, 0]]
FRAMES = [5, 4, 1, 3, 3]


def ctc_batch(random, texts=TEXTS, frames=FRAMES, padding=0):
    tokens = np.zeros((len(texts), max(map(len, texts)) + padding), "int32")
    for row, text in zip(tokens, texts, strict=True):
        row[: len(text)] = text
    logits = random.normal(size=(len(texts), max(frames) + padding, 4)).astype("float32")
    return tokens, np.array([len(text) for text in texts], "int32"), logits, np.array(frames, "int32")


def test_ctc_equals_the_sum_over_all_paths(random):
    tokens, num_tokens, logits, num_frames = ctc_batch(random)
    # An utterance without text counts no token and adds nothing.
    losses = [
        brute_force(text, log_softmax(one[:frames]))
        for text, one, frames in zip(TEXTS, logits, FRAMES, strict=True)
        if text
    ]
    loss = ctc_per_token(tokens, num_tokens, logits, num_frames, BLANK)
    np.testing.assert_allclose(loss, sum(losses) / num_tokens.sum(), rtol=1e-5)


def test_ctc_does_not_see_padding(random):
    tokens, num_tokens, logits, num_frames = ctc_batch(random, padding=3)
    real = np.arange(logits.shape[1]) < num_frames[:, None]
    losses = []
    for junk in (0.0, 1e3):
        junk_tokens = np.where(np.arange(tokens.shape[1]) < num_tokens[:, None], tokens, int(junk > 0) * 3)
        filled = np.where(real[..., None], logits, junk).astype("float32")
        losses.append(float(ctc_per_token(junk_tokens, num_tokens, filled, num_frames, BLANK)))
    losses.append(float(ctc_per_token(tokens[:, :3], num_tokens, logits[:, :5], num_frames, BLANK)))
    np.testing.assert_allclose(losses, losses[0], rtol=1e-6)


def gradient(tokens, num_tokens, logits, num_frames):
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = ctc_per_token(tokens, num_tokens, logits, num_frames, BLANK)
    return float(loss), tape.gradient(loss, logits).numpy()


@pytest.mark.parametrize(
    ("text", "frames"),
    [([2, 3], 1), ([3, 3], 2), ([3, 3, 2, 2], 5), ([2], 0), ([], 0), ([], 5)],
    ids=["too many", "no blank between", "blanks of two", "no frame", "nothing", "no text"],
)
def test_impossible_utterances_and_empty_texts_count_for_nothing(random, text, frames):
    batch = ctc_batch(random, [[2, 3, 0, 2], text], [5, frames])
    loss, gradients = gradient(*batch)
    alone, gradients_alone = gradient(*(x[:1] for x in batch))
    np.testing.assert_allclose(loss, alone, rtol=1e-6)
    np.testing.assert_allclose(gradients[0], gradients_alone[0], atol=1e-6)
    np.testing.assert_array_equal(gradients[1], 0)


def test_ctc_just_possible_counts(random):
    batch = ctc_batch(random, [[3, 3]], [3])
    np.testing.assert_allclose(gradient(*batch)[0], brute_force([3, 3], log_softmax(batch[2][0])) / 2, rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_batch_without_any_text(random, batch):
    loss, gradients = gradient(*ctc_batch(random, [[]] * batch, [4] * batch))
    assert loss == 0
    np.testing.assert_array_equal(gradients, 0)
