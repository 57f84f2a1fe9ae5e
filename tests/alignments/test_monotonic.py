import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.alignments.monotonic import Monotonic
from tests.alignments.given_scores import MASK, align_once, attend, one_hot, random_scores, sigmoid
from tests.backends import gradients, to_numpy

SOFT = pytest.mark.parametrize("mode", ["parallel", "recursive"])


def step(scores, mask, previous):
    """From each frame where the previous query may have stopped, the probability to go on to each later one."""
    p = np.where(mask, sigmoid(scores), 0)
    alignment = np.zeros(len(p))
    for start in np.flatnonzero(previous):
        for j in range(start, len(p)):
            alignment[j] += previous[start] * np.prod(1 - p[start:j]) * p[j]
    return alignment


def step_of_the_process(scores, mask, previous):
    """The same, out of every way in which the decisions at the frames may fall."""
    p = np.where(mask, sigmoid(scores), 0)
    alignment = np.zeros(len(p))
    for decisions in itertools.product([False, True], repeat=len(p)):
        probability = np.prod(np.where(decisions, p, 1 - p))
        for start in range(len(p)):
            stops = [j for j in range(start, len(p)) if decisions[j]]
            if stops:
                alignment[stops[0]] += previous[start] * probability
    return alignment


def unroll(step, scores, mask=MASK):
    rows = []
    for row, real in zip(scores, mask, strict=True):
        rows.append([one_hot(np.argmax(real), len(real))])
        for query in row:
            rows[-1].append(step(query, real, rows[-1][-1]))
    return np.array(rows)[:, 1:]


@SOFT
@pytest.mark.parametrize("size", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("oracle", [step, step_of_the_process])
def test_numpy_oracles(rng, mode, size, oracle):
    scores = random_scores(rng, size=size)
    np.testing.assert_allclose(attend(Monotonic(mode), scores), unroll(oracle, scores), rtol=1e-4, atol=1e-7)


def cumulative_products(p, previous):
    """The usual closed form, kept from dividing by 0 as usual."""
    go = np.exp(np.cumsum(np.log(np.clip(np.concatenate([[1], 1 - p[:-1]]), 1e-10, 1)), dtype="float32"))
    return p * go * np.cumsum(previous / np.clip(go, 1e-10, 1), dtype="float32")


CASES = {
    # Scores, frame of the previous query, share of the weight that the cumulative products find.
    "spread": (lambda rng: rng.normal(size=1000), 0, 1),
    "wide": (lambda rng: 5 * rng.normal(size=1000), 0, 1),
    "spread_later": (lambda rng: rng.normal(size=1000), 500, 0),
    "confident_before": (lambda rng: np.where(np.arange(1000) < 50, 6, rng.normal(size=1000)), 50, 0),
}


@pytest.mark.parametrize(("make", "frame", "share"), CASES.values(), ids=CASES)
def test_it_is_exact_at_the_lengths_of_speech(rng, make, frame, share):
    scores, previous = make(rng).astype("float32"), one_hot(frame, 1000)
    expected = step(scores.astype("float64"), np.ones(1000, bool), previous)
    assert expected.sum() > 0.999
    arguments = scores[None], np.ones((1, 1000), bool), previous[None]
    for mode in ("parallel", "recursive"):
        np.testing.assert_allclose(align_once(Monotonic(mode), *arguments)[0], expected, rtol=1e-5, atol=1e-12)
    found = cumulative_products(sigmoid(scores), previous).sum() / expected.sum()
    assert abs(found - share) < 1e-3


def test_long_walks_keep_their_weight():
    """Far from any frame to stop at, nothing is lost on the way."""
    scores = np.full((1, 10_000), -200.0, "float32")
    scores[0, -1] = 200
    np.testing.assert_array_equal(align_once(Monotonic(), scores, np.ones((1, 10_000), bool))[0], one_hot(9999, 10_000))


# ---- hard


def hard_oracle(scores, mask):
    expected = np.zeros_like(scores)
    for row, real in enumerate(mask):
        frame = np.argmax(real)
        for i, query in enumerate(scores[row]):
            stops = [j for j in range(frame, len(real)) if real[j] and query[j] >= 0]
            if stops:
                frame = stops[0]
                expected[row, i, frame] = 1
    return expected


def test_hard_stops_at_the_first_frame_from_the_previous_one_on(rng):
    scores = np.stack([random_scores(rng, queries=5)[:, i] - 0.3 * i for i in range(5)], axis=1)
    expected = hard_oracle(scores, MASK)
    assert 0 < expected.sum() < expected[..., 0].size  # some queries stop, some do not
    np.testing.assert_array_equal(attend(Monotonic("hard"), scores), expected)


def test_after_a_query_that_finds_no_frame_the_next_starts_from_the_same_place():
    scores = np.array([[[-1, -1, 1, -1], [-1, -1, -1, -1], [1, 1, 1, 1], [1, 1, -1, 1]]], "float32")
    alignment = attend(Monotonic("hard"), scores, np.ones((1, 4), bool))
    np.testing.assert_array_equal(alignment[0], [one_hot(2, 4), np.zeros(4), one_hot(2, 4), one_hot(3, 4)])


def test_a_half_is_enough():
    alignment = align_once(Monotonic("hard"), np.zeros((1, 3), "float32"), np.ones((1, 3), bool))
    np.testing.assert_array_equal(alignment, [[1, 0, 0]])


def test_hard_is_the_limit_of_soft(rng):
    scores = random_scores(rng)
    np.testing.assert_allclose(attend(Monotonic(), 1e4 * scores), attend(Monotonic("hard"), scores), atol=1e-6)


def test_auto_is_parallel_in_training_and_median_otherwise(rng):
    scores = random_scores(rng)
    for training, mode in ((True, "parallel"), (False, "median"), (None, "median")):
        expected = attend(Monotonic(mode), scores)
        np.testing.assert_array_equal(attend(Monotonic("auto"), scores, training=training), expected)


# ---- noise and bias


def test_noise_is_gaussian_and_in_training_alone():
    scores, mask = np.zeros((20_000, 1, 1), "float32"), np.ones((20_000, 1), bool)
    monotonic = Monotonic(noise=2.0, seed=1)
    assert np.all(attend(monotonic, scores, mask) == 0.5)
    p = attend(monotonic, scores, mask, training=True)[:, 0, 0]
    noise = np.log(p) - np.log1p(-p)
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 2) < 0.05
    assert abs(np.mean(np.abs(noise) < 2) - 0.6827) < 0.015


def test_noise_differs_from_query_to_query_and_from_seed_to_seed():
    scores, mask = np.zeros((1, 3, 1), "float32"), np.ones((1, 1), bool)

    def noisy(seed):
        return attend(Monotonic(noise=1.0, seed=seed), scores, mask, training=True)[0, :, 0]

    # A single frame, from which nothing gets past but what is lost: a quotient of weights is a probability.
    quotients = noisy(1)[1:] / noisy(1)[:-1]
    assert abs(quotients[0] - quotients[1]) > 1e-3
    np.testing.assert_array_equal(noisy(1), noisy(1))
    assert np.any(noisy(1) != noisy(2))


@pytest.mark.parametrize("bias", [-4.0, 0.5])
def test_the_bias_is_added_to_the_scores_and_learnt(rng, bias):
    scores = random_scores(rng)
    np.testing.assert_allclose(attend(Monotonic(bias=bias), scores), attend(Monotonic(), scores + bias), rtol=1e-4)
    monotonic, mask = Monotonic(bias=bias), ops.ones((1, 1), dtype="bool")
    align_once(monotonic, np.zeros((1, 1), "float32"), np.ones((1, 1), bool))
    (weight,) = monotonic.trainable_weights
    (gradient,) = gradients(lambda: ops.sum(monotonic.align(ops.zeros((1, 1)), mask, ops.ones((1, 1)))), [weight])
    np.testing.assert_allclose(gradient, sigmoid(bias) * sigmoid(-bias), rtol=1e-5)


# ---- gradients


@SOFT
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_gradients_of_empty_rows_and_extreme_scores_are_finite(rng, mode, size):
    scores = keras.Variable(rng.normal(size=(2, 9)) * size, dtype="float32")
    previous = keras.Variable(rng.random((2, 9)) / 9, dtype="float32")
    mask = np.array([rng.random(9) < 0.7, np.zeros(9, bool)])
    monotonic = Monotonic(mode)
    align_once(monotonic, to_numpy(scores.value), mask)

    def loss():
        return ops.sum(ops.cumsum(monotonic.align(scores.value[:], ops.convert_to_tensor(mask), previous.value[:])))

    of_scores, of_previous = gradients(loss, [scores, previous])
    assert np.isfinite(of_scores).all() and np.isfinite(of_previous).all()
    assert np.all(of_scores[~mask] == 0) and np.all(of_previous[1] == 0) and np.any(of_previous[0] != 0)


# ---- configuration


def test_config_survives():
    options = {"mode": "auto", "noise": 1.0, "bias": -4.0, "seed": 3}
    config = Monotonic(**options).get_config()
    assert {key: config[key] for key in options} == options
    assert Monotonic.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "soft"}, r"\['parallel', 'recursive', 'hard', 'median', 'auto'\]. Received: mode='soft'"),
        ({"noise": -1}, r"not negative. Received: noise=-1"),
        ({"noise": float("nan")}, r"not negative. Received: noise=nan"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        Monotonic(**options)
