"""Tests for `decoding_rules.py`: the edges of each rule; all of them in a search are in `test_beam_search_rules.py`."""

import numpy as np
from keras import ops

from keras_attn import decoding_rules


def forbidden_ends(log_probs, long_enough, threshold=None):
    given = np.array(log_probs, "float32")
    found = ops.convert_to_numpy(
        decoding_rules.forbid_end(ops.convert_to_tensor(given), 1, ops.convert_to_tensor(long_enough), threshold)
    )
    np.testing.assert_array_equal(found[:, [0, 2]], given[:, [0, 2]])
    return (found[:, 1] == -np.inf).tolist()


def test_the_end_is_compared_with_the_best_of_the_others():
    log_probs = [[-1.0, -1.5, -4.0], [-1.0, -1.25, -4.0], [-9.0, -0.5, -8.0], [-np.inf, -50.0, -np.inf]]
    assert forbidden_ends(log_probs, [True] * 4) == [False] * 4
    assert forbidden_ends(log_probs, [True] * 4, 1.5) == [True, False, False, False]  # equal is not above
    assert forbidden_ends(log_probs, [True] * 4, 1.0) == [True, True, False, False]
    assert forbidden_ends(log_probs, [False, True] * 2, 1.5) == [True, False, True, False]


def test_coverage_counts_up_to_1_and_no_less_than_a_thousandth():
    coverage = ops.convert_to_tensor([[0.0, 1e-5, 0.25, 1.0, 3.0], [1.0, 1.0, 1.0, 0.5, 0.0]])
    mask = ops.convert_to_tensor([[True] * 5, [True] * 4 + [False]])
    expected = [2 * np.log(1e-3) + np.log(0.25), np.log(0.5)]
    np.testing.assert_allclose(ops.convert_to_numpy(decoding_rules.coverage_penalty(coverage, mask)), expected, 1e-5)
    alone = ops.convert_to_numpy(decoding_rules.coverage_penalty(coverage))
    np.testing.assert_allclose(alone, [expected[0], expected[1] + np.log(1e-3)], 1e-5)


def test_the_peak_stays_where_there_is_no_weight():
    alignment = ops.convert_to_tensor([[0.0, 0.2, 0.7], [0.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    last = ops.convert_to_tensor([5, 5, 5], "int32")
    assert ops.convert_to_numpy(decoding_rules.peak(alignment, last)).tolist() == [2, 0, 5]
    assert ops.convert_to_numpy(decoding_rules.peak(alignment[:, :0], last)).tolist() == [5, 5, 5]


def test_who_leaps_is_dropped_if_somebody_open_stays():
    shift = [-4, 3, 0, 9, 9, 9, -4, 0, 4]
    open_ones = [True, True, False, True, True, False, True, False, False]
    dropped = decoding_rules.leapers(
        ops.convert_to_tensor(shift, "int32"), 3, ops.convert_to_tensor(open_ones), beam_width=3
    )
    assert ops.convert_to_numpy(dropped).tolist() == [True] + [False] * 8
