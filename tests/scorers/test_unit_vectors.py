import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.scorers.unit_vectors import unit_vectors
from tests.contract import gradients, to_numpy


def test_numpy_oracle(rng):
    x = rng.normal(size=(2, 3, 4))
    expected = x / np.sqrt((x**2).sum(-1, keepdims=True))
    np.testing.assert_allclose(to_numpy(unit_vectors(ops.cast(x, "float32"))), expected, atol=1e-6)


@pytest.mark.parametrize("factor", [1e-15, 1e30])
def test_squares_neither_vanish_nor_overflow(factor):
    x = ops.convert_to_tensor(np.array([[3.0, -4.0]]) * factor, dtype="float32")
    np.testing.assert_allclose(to_numpy(unit_vectors(x)), [[0.6, -0.8]], rtol=1e-6)


def test_gradient():
    """d (x / |x|) / dx = (1 - u u^T) / |x|, and 0 for a zero vector."""
    x, weights = np.array([[3.0, 4.0], [0.0, 0.0]], "float32"), np.array([[1.0, 2.0], [1.0, 2.0]], "float32")
    variable = keras.Variable(x)
    (gradient,) = gradients(lambda: ops.sum(ops.multiply(unit_vectors(variable.value[:]), weights)), [variable])
    unit = x[0] / 5
    np.testing.assert_allclose(gradient[0], (np.eye(2) - np.outer(unit, unit)) @ weights[0] / 5, rtol=1e-5)
    np.testing.assert_array_equal(gradient[1], 0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_zero_vectors_in_every_dtype(dtype):
    variable = keras.Variable(np.array([[0, 0], [3, 4]]), dtype=dtype)
    (gradient,) = gradients(lambda: ops.sum(unit_vectors(variable.value[:])), [variable])
    assert np.isfinite(gradient).all() and np.all(gradient[0] == 0)
    units = unit_vectors(variable.value[:])
    assert keras.utils.standardize_dtype(units.dtype) == "float32"
    np.testing.assert_allclose(to_numpy(units), [[0, 0], [0.6, 0.8]], atol=1e-6)


@pytest.mark.skipif(keras.config.backend() == "jax", reason="JAX has no float64 by default")
def test_float64_is_kept():
    assert keras.utils.standardize_dtype(unit_vectors(ops.ones((1, 3), "float64")).dtype) == "float64"


def test_no_vectors():
    assert tuple(unit_vectors(ops.zeros((2, 0, 3))).shape) == (2, 0, 3)
