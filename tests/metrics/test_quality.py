"""Slow oracles with loops, matrices whose values are known, padding and gradients."""

import itertools
import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import metrics
from tests import ragged_alignments


def slow_sharpness(alignment):
    values = []
    for row in alignment:
        if len(row) < 2 or not row.any():
            values.append(float(row.any()))
            continue
        p = row / row.sum()
        values.append(1 - sum(-x * math.log(x) for x in p if x > 0) / math.log(len(row)))
    return np.mean(values) if values else 0.0


def slow_monotonicity(alignment):
    if len(alignment) < 2:
        return float(len(alignment))
    good = 0
    for row, following in itertools.pairwise(alignment):
        if row.any() and following.any():
            now, then = (sum(j * x for j, x in enumerate(r)) / sum(r) for r in (row, following))
            good += then >= now - 0.5
    return good / (len(alignment) - 1)


def slow_coverage(alignment):
    steps, frames = alignment.shape
    if not steps or not frames:
        return 0.0
    return np.mean([min(1.0, sum(alignment[i, j] for i in range(steps)) * frames / steps) for j in range(frames)])


def slow_violations(alignment):
    moves = [then.argmax() < now.argmax() for now, then in itertools.pairwise(alignment) if now.any() and then.any()]
    return sum(moves), sum(moves) / max(len(moves), 1)


def number_of_violations(*arguments):
    return metrics.monotonicity_violations(*arguments)[0]


def share_of_violations(*arguments):
    return metrics.monotonicity_violations(*arguments)[1]


ORACLES = {
    metrics.sharpness: slow_sharpness,
    metrics.monotonicity: slow_monotonicity,
    metrics.coverage: slow_coverage,
    number_of_violations: lambda alignment: slow_violations(alignment)[0],
    share_of_violations: lambda alignment: slow_violations(alignment)[1],
}
every_metric = pytest.mark.parametrize("metric", list(ORACLES))


@every_metric
def test_equals_the_oracle(metric):
    for seed in range(5):
        alignment, step_mask, frame_mask = ragged_alignments.batch(seed)
        result = metric(alignment, step_mask, frame_mask)
        assert keras.utils.standardize_dtype(result.dtype) == "float32"
        expected = [ORACLES[metric](x) for x in ragged_alignments.apart(alignment)]
        np.testing.assert_allclose(ops.convert_to_numpy(result), expected, atol=1e-5)


@every_metric
def test_more_padding_changes_nothing(metric):
    more = metric(*ragged_alignments.batch(padded=(9, 17)))
    less = metric(*ragged_alignments.batch())
    np.testing.assert_allclose(ops.convert_to_numpy(more), ops.convert_to_numpy(less), atol=1e-6)


@every_metric
def test_heads_are_measured_one_by_one(metric):
    (first, *masks), (second, *_) = ragged_alignments.batch(0), ragged_alignments.batch(1)
    result = ops.convert_to_numpy(metric(np.stack([first, second], axis=1), *masks))
    expected = [ops.convert_to_numpy(metric(x, *masks)) for x in (first, second)]
    np.testing.assert_allclose(result, np.stack(expected, axis=1), atol=1e-6)


@every_metric
def test_without_masks_all_is_real(metric, rng):
    alignment = rng.dirichlet(np.ones(5), size=(3, 4)).astype("float32")
    ones = np.ones((3, 4), bool), np.ones((3, 5), bool)
    result = ops.convert_to_numpy(metric(alignment))
    np.testing.assert_array_equal(result, ops.convert_to_numpy(metric(alignment, *ones)))
    np.testing.assert_allclose(result, [ORACLES[metric](x) for x in alignment], atol=1e-5)


@every_metric
@pytest.mark.parametrize("shape", [(2, 3, 0), (2, 0, 3), (2, 0, 0)])
def test_axes_may_be_empty(metric, shape):
    expected = [ORACLES[metric](x) for x in np.zeros(shape)]
    np.testing.assert_array_equal(ops.convert_to_numpy(metric(np.zeros(shape, "float32"))), expected)


@every_metric
@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="sizes are known on other backends")
def test_in_a_graph_with_unknown_sizes(metric):
    import tensorflow as tf

    graph = tf.function(metric, input_signature=[tf.TensorSpec([None] * 3), *[tf.TensorSpec([None] * 2, tf.bool)] * 2])
    arguments = ragged_alignments.batch()
    np.testing.assert_allclose(graph(*arguments), metric(*arguments), atol=1e-6)


@pytest.mark.parametrize("metric", [metrics.sharpness, metrics.coverage])
def test_gradients_are_finite(metric):
    from tests.contract import gradients

    alignment, step_mask, frame_mask = ragged_alignments.batch()
    alignment[0, 0] = np.eye(6)[2]
    alignment = keras.Variable(alignment)
    (gradient,) = gradients(lambda: ops.sum(metric(alignment.value, step_mask, frame_mask)), [alignment])
    assert np.isfinite(gradient).all() and gradient.any()


@pytest.mark.parametrize(
    "matrix, expected",
    [
        (np.eye(4), (1, 1, 1, 0, 0)),
        (np.eye(4)[::-1], (1, 0, 1, 3, 1)),
        (np.full((4, 4), 1 / 4), (0, 1, 1, 0, 0)),
        (np.eye(4)[[1] * 3], (1, 1, 1 / 4, 0, 0)),
        (np.eye(4)[[0, 2, 1, 3]], (1, 2 / 3, 1, 1, 1 / 3)),
        (np.zeros((3, 4)), (0, 0, 0, 0, 0)),
        (np.ones((3, 1)), (1, 1, 1, 0, 0)),
    ],
    ids=["identity", "backwards", "uniform", "one column", "one step back", "no mass", "one frame"],
)
def test_known_matrices(matrix, expected):
    found = [float(metric(matrix[None])[0]) for metric in ORACLES]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_step_without_mass_neither_moves_back_nor_joins_its_neighbours():
    number, share = metrics.monotonicity_violations((np.eye(4)[[3, 2, 1, 0]] * [[1], [1], [0], [1]])[None])
    assert (float(number[0]), float(share[0])) == (1, 1)


@every_metric
def test_bad_shape(metric):
    message = r"Expected an alignment \(batch, steps, frames\) or \(batch, heads, steps, frames\). Received: shape="
    with pytest.raises(ValueError, match=message + r"\(2, 3\)"):
        metric(np.ones((2, 3)))
