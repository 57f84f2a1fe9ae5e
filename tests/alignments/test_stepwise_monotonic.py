import numpy as np
import pytest

from keras_attn.alignments.stepwise_monotonic import StepwiseMonotonic
from tests.alignments.given_scores import MASK, attend, one_hot, random_scores, real, sigmoid


def oracle(scores, mask=MASK):
    """The recurrence of the paper over the real frames of every row."""
    expected = np.zeros_like(scores)
    for row, frames in enumerate(mask):
        previous = one_hot(0, frames.sum())
        for i, query in enumerate(scores[row]):
            p, alignment = sigmoid(query[frames]), np.zeros_like(previous)
            for j in range(len(p)):
                alignment[j] = previous[j] * p[j] + (previous[j - 1] * (1 - p[j - 1]) if j else 0)
            expected[row, i, frames] = previous = alignment
    return expected


@pytest.mark.parametrize("size", [0.1, 1.0, 5.0])
def test_numpy_oracle(rng, size):
    scores = random_scores(rng, size=size)
    np.testing.assert_allclose(attend(StepwiseMonotonic(), scores), oracle(scores), rtol=1e-4, atol=1e-7)


def test_it_is_the_probability_of_each_frame_after_coins_are_tossed(rng):
    """A walk is simulated many times."""
    scores, walks = random_scores(rng, queries=3), 20_000
    alignment = attend(StepwiseMonotonic(), scores)
    for row, frames in enumerate(MASK):
        places = np.zeros(walks, int)
        for i, query in enumerate(scores[row]):
            p = np.append(sigmoid(query[frames]), 1)  # beyond the last frame there is nowhere to go
            places += rng.random(walks) >= p[places]
            frequencies = np.bincount(places, minlength=len(p))[:-1] / walks
            np.testing.assert_allclose(alignment[row, i, frames], frequencies, atol=0.015)


def test_no_frame_is_skipped():
    """A query can get one real frame further than the one before, however low the scores are."""
    alignment = attend(StepwiseMonotonic(), np.full((2, 4, 6), -100, "float32"))
    for row in real(alignment):
        np.testing.assert_allclose(row, [one_hot(i + 1, row.shape[1]) for i in range(4)], atol=1e-6)


def test_high_scores_stay():
    for row in real(attend(StepwiseMonotonic(), np.full((2, 4, 6), 100, "float32"))):
        np.testing.assert_allclose(row, [one_hot(0, row.shape[1])] * 4)


def test_hard(rng):
    scores = random_scores(rng, queries=6)
    expected = np.zeros_like(scores)
    for row, frames in enumerate(MASK):
        frames, place = np.flatnonzero(frames), 0
        for i, query in enumerate(scores[row]):
            after = place + (query[frames[place]] < 0)
            if after < len(frames):
                place = after
                expected[row, i, frames[place]] = 1
    assert expected.sum() > 6
    np.testing.assert_array_equal(attend(StepwiseMonotonic("hard"), scores), expected)


def test_hard_is_the_limit_of_soft(rng):
    scores = random_scores(rng)
    expected = attend(StepwiseMonotonic("hard"), scores)
    np.testing.assert_allclose(attend(StepwiseMonotonic(), 1e4 * scores), expected, atol=1e-6)


def test_auto_is_soft_in_training_and_hard_otherwise(rng):
    scores = random_scores(rng)
    for training, mode in ((True, "soft"), (False, "hard"), (None, "hard")):
        expected = attend(StepwiseMonotonic(mode), scores)
        np.testing.assert_array_equal(attend(StepwiseMonotonic("auto"), scores, training=training), expected)


def test_noise_in_training_alone_and_bias(rng):
    scores = random_scores(rng)
    noisy, expected = StepwiseMonotonic(noise=1.0, bias=0.5, seed=1), attend(StepwiseMonotonic(), scores + 0.5)
    np.testing.assert_allclose(attend(noisy, scores), expected, rtol=1e-5)
    assert np.max(np.abs(attend(noisy, scores, training=True) - expected)) > 0.05


def test_errors():
    with pytest.raises(ValueError, match=r"\['soft', 'hard', 'auto'\]. Received: mode='parallel'"):
        StepwiseMonotonic("parallel")
