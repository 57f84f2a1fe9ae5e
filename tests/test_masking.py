import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import masking
from tests.contract import gradients


def numpy(x):
    return ops.convert_to_numpy(x)


def test_length_mask():
    expected = np.array([[[0, 0, 0], [1, 0, 0]], [[1, 1, 1], [1, 1, 1]]], bool)
    np.testing.assert_array_equal(numpy(masking.length_mask([[0, 1], [3, 9]], 3)), expected)
    assert numpy(masking.length_mask([], 3)).shape == (0, 3)


def test_causal_mask():
    for tq, tv in [(3, 3), (2, 5), (5, 2), (1, 1), (0, 2)]:
        np.testing.assert_array_equal(numpy(masking.causal_mask(tq, tv)), np.tri(tq, tv, dtype=bool))


def test_both():
    one, other = np.array([True, True, False]), np.array([True, False, False])
    assert masking.both(None, None) is None
    assert masking.both(one, None) is one and masking.both(None, one) is one
    np.testing.assert_array_equal(numpy(masking.both(one, other)), [True, False, False])
    np.testing.assert_array_equal(numpy(masking.both(one.astype("int32"), other.astype("float32"))), other)


@pytest.mark.parametrize("filling", [np.nan, np.inf, 1e30])
def test_zero_padding_stops_values_and_gradients(filling):
    mask = np.array([[True, False]])
    x = keras.Variable(np.array([[[1.0, 2.0], [filling, filling]]], "float32"))
    np.testing.assert_array_equal(numpy(masking.zero_padding(x.value[:], mask)), [[[1, 2], [0, 0]]])
    (gradient,) = gradients(lambda: ops.sum(masking.zero_padding(x.value[:], mask) ** 2), [x])
    np.testing.assert_array_equal(gradient, [[[2, 4], [0, 0]]])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_at_least_float32(dtype):
    assert keras.utils.standardize_dtype(masking.at_least_float32(ops.ones((), dtype=dtype)).dtype) == "float32"


def test_accumulation_dtype():
    assert masking.accumulation_dtype("float64") == "float64"
    assert {masking.accumulation_dtype(dtype) for dtype in ("float16", "bfloat16", "float32")} == {"float32"}


def test_normalize():
    weights = np.array([[1.0, 3.0], [0.0, 0.0], [2.0, 0.0]], "float32")
    np.testing.assert_allclose(numpy(masking.normalize(ops.convert_to_tensor(weights))), [[0.25, 0.75], [0, 0], [1, 0]])
    variable = keras.Variable(weights)
    (gradient,) = gradients(lambda: ops.sum(masking.normalize(variable.value[:])[:, 0]), [variable])
    assert np.isfinite(gradient).all()


def test_masked_softmax_over_random_masks_and_sizes(rng):
    scores = rng.uniform(-1e4, 1e4, size=(200, 7)).astype("float32")
    mask = rng.random((200, 7)) < 0.4
    weights = numpy(masking.masked_softmax(ops.convert_to_tensor(scores), mask))
    assert np.isfinite(weights).all() and np.all(weights[~mask] == 0)
    np.testing.assert_allclose(weights.sum(-1), mask.any(-1), atol=1e-5)
    assert numpy(masking.masked_softmax(ops.zeros((2, 0)), np.ones((2, 0), bool))).shape == (2, 0)


def test_first():
    mask = [[True, True, False], [False, True, True], [False, False, False]]
    expected = [[True, False, False], [False, True, False], [False, False, False]]
    np.testing.assert_array_equal(numpy(masking.first(ops.convert_to_tensor(mask))), expected)
    assert tuple(masking.first(ops.zeros((2, 0), dtype="bool")).shape) == (2, 0)


def test_masked_softmax_without_a_mask(rng):
    scores = ops.convert_to_tensor(rng.uniform(-1e4, 1e4, size=(20, 7)).astype("float32"))
    masked = masking.masked_softmax(scores, np.ones((20, 7), bool))
    np.testing.assert_array_equal(numpy(masking.masked_softmax(scores)), numpy(masked))
    assert masking.zero_padding(scores, None) is scores
