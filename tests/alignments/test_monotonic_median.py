"""The mode of `Monotonic` that stops at the median of where it may stop."""

import numpy as np
import pytest

from keras_attn.alignments.monotonic import Monotonic
from tests.alignments.given_scores import MASK, align_once, attend, one_hot, random_scores, sigmoid


def median_oracle(scores, mask, bias=0):
    """Walk on until the probability to be past, found by multiplying, is at most a half."""
    expected = np.zeros_like(scores)
    for row, real in enumerate(mask):
        frame = np.argmax(real)
        for i, query in enumerate(scores[row]):
            past, ahead = 1.0, [j for j in range(frame, len(real)) if real[j]]
            for j in ahead:
                past *= 1 - sigmoid(query[j] + bias)
                if past <= 0.5:
                    frame = j
                    expected[row, i, frame] = 1
                    break
    return expected


@pytest.mark.parametrize("bias", [-4.0, -1.5, 0.0])
def test_median_stops_where_more_than_half_would_have_stopped(rng, bias):
    scores = random_scores(rng, queries=5)
    expected = median_oracle(scores, MASK, bias)
    assert bias == 0 or expected.sum() < expected[..., 0].size
    np.testing.assert_array_equal(attend(Monotonic("median", bias=bias), scores), expected)


def test_median_stops_among_frames_of_which_none_has_a_probability_of_a_half():
    p, mask = np.array([[0.0, 0.3, 0.3, 0.3, 0.0, 0.0]]), np.ones((1, 6), bool)
    scores = np.log(p + 1e-9) - np.log1p(-p)
    np.testing.assert_array_equal(align_once(Monotonic("hard"), scores, mask), np.zeros((1, 6)))
    np.testing.assert_array_equal(align_once(Monotonic("median"), scores, mask), [one_hot(2, 6)])


def test_median_is_never_later_than_hard_and_the_same_where_all_is_clear(rng):
    scores, mask = rng.normal(size=(100, 9)).astype("float32"), np.ones((100, 9), bool)
    hard, median = (align_once(Monotonic(mode), scores, mask) for mode in ("hard", "median"))
    reached = hard.any(axis=1)
    assert np.all(median[reached].argmax(axis=1) <= hard[reached].argmax(axis=1))
    assert np.any(median != hard)
    clear = 1e4 * scores
    np.testing.assert_array_equal(
        align_once(Monotonic("median"), clear, mask), align_once(Monotonic("hard"), clear, mask)
    )
