"""Tests for `ctc_prefix.py`: against a walk over all paths, and against the recursion of the paper in NumPy."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import BeamSearch, CTCPrefixScorer
from tests import ctc_by_hand

BACKEND = keras.config.backend()
BLANK, END, VOCABULARY = 1, 0, 4
START = 1


def random_log_probs(rng, batch, frames, says_end=True):
    logits = rng.normal(0, 1.5, (batch, frames, VOCABULARY))
    logits[:, :, END] += 0 if says_end else -np.inf
    return (logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))).astype("float32")


def along(log_probs, tokens, mask=None, blank=BLANK, end=END):
    """The increments after 0, 1, ... of the tokens `(batch, length)`: `(batch, length + 1, vocabulary)`."""
    scorer = CTCPrefixScorer(blank=blank, end_token=end)
    constants = scorer.prepare(log_probs, mask)
    state, found = scorer.initial_state(constants), []
    for column in np.concatenate([np.full((len(tokens), 1), 99), tokens], axis=1).T:
        scores, state = scorer.step(ops.convert_to_tensor(column.astype("int32")), state, constants)
        found.append(ops.convert_to_numpy(scores))
    return np.stack(found, axis=1)


def test_equals_the_sum_over_all_paths(rng):
    """Every hypothesis of up to three tokens, in every utterance."""
    utterances = random_log_probs(rng, 5, 5, says_end=False)
    hypotheses = list(itertools.product((2, 3), repeat=3))
    sayings = [ctc_by_hand.all_sayings(utterance, BLANK) for utterance in utterances]
    scores = along(np.repeat(utterances, 8, axis=0), np.array(hypotheses * 5)).reshape(5, 8, 4, VOCABULARY)
    for i, k, length in itertools.product(range(5), range(8), range(4)):
        tokens = hypotheses[k][:length]
        psi = sum(chance for said, chance in sayings[i].items() if said[:length] == tokens)
        steps = [scores[i, k, t, token] for t, token in enumerate(tokens)]
        np.testing.assert_allclose(np.exp(np.sum(steps)), psi, rtol=1e-5)
        np.testing.assert_allclose(np.exp(np.sum([*steps, scores[i, k, length, END]])), sayings[i][tokens], rtol=1e-5)


def test_equals_the_recursion_of_the_paper(rng):
    """100 utterances of several lengths at once, the padding NaN."""
    log_probs, tokens = random_log_probs(rng, 100, 12), rng.integers(2, VOCABULARY, (100, 4))
    lengths = rng.integers(4, 13, 100)
    mask = np.arange(12) < lengths[:, None]
    found = along(np.where(mask[..., None], log_probs, np.nan), tokens, mask)
    for i, length in itertools.product(range(100), range(5)):
        expected = ctc_by_hand.increments(log_probs[i, : lengths[i]], tokens[i, :length], BLANK, END)
        np.testing.assert_allclose(found[i, length], expected, rtol=1e-4, atol=2e-5)


def test_what_may_come_next_has_probability_1(rng):
    """Where no probability goes to an end token that CTC does not know: here it is the blank."""
    tokens = rng.integers(1, VOCABULARY, (20, 5))
    chances = np.exp(along(random_log_probs(rng, 20, 30), tokens, blank=0, end=0)).sum(axis=-1)
    np.testing.assert_allclose(chances, 1, rtol=1e-4)


def test_a_confident_ctc_output():
    """Frames that say a-abb_b: only aabb is possible, and repeats need the blank between."""
    a, b = 2, 3
    log_probs = np.full((1, 7, VOCABULARY), -np.inf, "float32")
    for frame, token in enumerate([a, BLANK, a, b, b, BLANK, b]):
        log_probs[0, frame, token] = 0
    found = along(log_probs, np.array([[a, a, b, b]]))[0]
    for scores, token in zip(found, [a, a, b, b, END], strict=True):
        np.testing.assert_array_equal(scores, np.where(np.arange(VOCABULARY) == token, 0, -np.inf))
    wrong = along(log_probs, np.array([[a, b, b]]))[0]
    assert (wrong[2:] == -np.inf).all()  # after what is impossible comes nothing, and no NaN


def test_padding_on_either_side_changes_nothing(rng):
    log_probs, tokens = random_log_probs(rng, 6, 8), rng.integers(2, VOCABULARY, (6, 3))
    mask = np.pad(np.ones((6, 8), bool), [[0, 0], [3, 2]])
    padded = np.pad(log_probs, [[0, 0], [3, 2], [0, 0]], constant_values=np.nan)
    np.testing.assert_allclose(along(padded, tokens, mask), along(log_probs, tokens), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("frames", [0, 1])
def test_hardly_any_frames(rng, frames):
    log_probs = random_log_probs(rng, 1, frames)
    first, second = along(log_probs, np.array([[2]]))[0]
    if frames:
        np.testing.assert_allclose(first[[2, 3]], log_probs[0, 0, [2, 3]], rtol=1e-6)
        np.testing.assert_allclose(first[END], log_probs[0, 0, BLANK], rtol=1e-6)
        np.testing.assert_array_equal(second, [0, -np.inf, -np.inf, -np.inf])
    else:
        np.testing.assert_array_equal(first, [0, -np.inf, -np.inf, -np.inf])
        assert (second == -np.inf).all()


def test_precision_over_ten_thousand_frames():
    """Three tokens, each in one frame of its own, and every frame 0.999 sure."""
    said = np.full(10_000, BLANK)
    said[[5, 5000, 9990]] = tokens = [2, 3, 3]
    log_probs = np.log(np.where(np.arange(VOCABULARY) == said[:, None], 0.999, 0.001 / 3)).astype("float32")
    found = along(log_probs[None], np.array([tokens]))[0]
    for length in range(4):
        expected = ctc_by_hand.increments(log_probs, tokens[:length], BLANK, END)
        np.testing.assert_allclose(found[length], expected, rtol=1e-5, atol=1e-4)


def test_a_search_by_ctc_alone_finds_what_is_most_probable(rng):
    """With a beam as wide as all there is, against all paths of each utterance."""
    log_probs = random_log_probs(rng, 6, 4, says_end=False)
    scorer = CTCPrefixScorer(blank=BLANK, end_token=END)
    constants = scorer.prepare(log_probs)
    search = BeamSearch(scorer.step, end_token=END, beam_width=32, length_normalization=0, n_best=4)
    result = search(np.full(6, START), scorer.initial_state(constants), 5, constants)
    for i in range(6):
        best = sorted(ctc_by_hand.all_sayings(log_probs[i], BLANK).items(), key=lambda pair: -pair[1])[:4]
        for k, (tokens, chance) in enumerate(best):
            assert tuple(ops.convert_to_numpy(result.tokens[i, k])[: len(tokens)]) == tokens
            assert int(result.lengths[i, k]) == len(tokens)
            np.testing.assert_allclose(np.exp(float(result.scores[i, k])), chance, rtol=1e-4)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has float64 only when it is told so at its start")
def test_float64_stays_float64(rng):
    log_probs, tokens = random_log_probs(rng, 2, 6).astype("float64"), np.array([[2, 3], [3, 3]])
    found = along(log_probs, tokens)
    assert found.dtype == "float64"
    for i in range(2):
        expected = ctc_by_hand.increments(log_probs[i], tokens[i], BLANK, END)
        np.testing.assert_allclose(found[i, 2], expected, rtol=1e-10)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="compiled by TensorFlow")
def test_compiled_by_xla(rng):
    import tensorflow as tf

    log_probs, tokens = random_log_probs(rng, 3, 6), np.array([2, 3, 2], "int32")
    scorer = CTCPrefixScorer(blank=BLANK, end_token=END)

    @tf.function(jit_compile=True)
    def second_step(log_probs, tokens):
        constants = scorer.prepare(log_probs)
        state = scorer.initial_state(constants) | {"begun": ops.ones((3,), "bool")}
        return scorer.step(tokens, state, constants)[0]

    np.testing.assert_allclose(second_step(log_probs, tokens), along(log_probs, tokens[:, None])[:, 1], rtol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="sizes are known on other backends")
def test_in_a_graph_with_unknown_sizes(rng):
    import tensorflow as tf

    scorer = CTCPrefixScorer(blank=BLANK, end_token=END)
    search = BeamSearch(scorer.step, end_token=END, beam_width=3)

    @tf.function(input_signature=[tf.TensorSpec([None, None, VOCABULARY]), tf.TensorSpec([None, None], tf.bool)])
    def graph(log_probs, mask):
        constants = scorer.prepare(log_probs, mask)
        return search(tf.fill([tf.shape(mask)[0]], START), scorer.initial_state(constants), 6, constants)

    for batch, frames in ((1, 0), (4, 7)):
        log_probs, mask = random_log_probs(rng, batch, frames), rng.random((batch, frames)) < 0.8
        constants = scorer.prepare(log_probs, mask)
        expected = search(np.full(batch, START), scorer.initial_state(constants), 6, constants)
        found = graph(log_probs, mask)
        np.testing.assert_array_equal(found.tokens, expected.tokens)
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{"blank": -1, "end_token": 0}, {"blank": 0, "end_token": True}])
def test_tokens_must_be_numbers_of_tokens(options):
    with pytest.raises(ValueError, match="Expected the number of a token. Received: (blank=-1|end_token=True)"):
        CTCPrefixScorer(**options)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 5), (2, 3, 1)])
def test_log_probs_must_have_a_row_for_each_frame(shape):
    with pytest.raises(ValueError, match=r"shape \(batch, T, vocabulary\) for blank=1.* Received: log_probs.shape="):
        CTCPrefixScorer(blank=1, end_token=0).prepare(np.zeros(shape, "float32"))
