import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.scorers import pairs
from tests.backends import assert_close, assert_same, differentiated, fast


def arrays(rng, tq, tv, dtype="float32"):
    shapes = (2, tq, 5), (2, tv, 5), (5,)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def scores(query, key, weights):
    return pairs.inner_products(ops.tanh(pairs.sums(query, key)), weights)


def curved(x):
    """A scalar whose gradient is another one for every number."""
    return ops.sum(ops.sin(x))


@pytest.mark.parametrize(("tq", "tv"), [(1, 7), (4, 7), (3, 1), (0, 4), (3, 0)])
def test_by_numpy_and_autodiff(rng, monkeypatch, tq, tv):
    query, key, weights = arrays(rng, tq, tv)
    assert_same(fast(pairs.sums)(query, key), query[:, :, None] + key[:, None])
    found, gradients = differentiated(scores, curved)(query, key, weights)
    assert_close(found, np.tanh(query[:, :, None] + key[:, None]) @ weights)
    monkeypatch.setattr(pairs, "_BY_HAND", False)
    assert_close(gradients, differentiated(scores, curved)(query, key, weights)[1], 1e-5)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="takes the gradients of autodiff elsewhere")
def test_second_derivatives(rng, monkeypatch):
    import tensorflow as tf

    def second(*tensors):
        with tf.GradientTape() as outer:
            outer.watch(tensors)
            with tf.GradientTape() as inner:
                inner.watch(tensors)
                total = curved(scores(*tensors))
            slope = sum(tf.reduce_sum(tf.sin(g)) for g in inner.gradient(total, tensors))
        return outer.gradient(slope, tensors)

    tensors = [tf.constant(x) for x in arrays(rng, 3, 4)]
    found = [second(*tensors), tf.function(second)(*tensors)]
    monkeypatch.setattr(pairs, "_BY_HAND", False)
    expected = second(*tensors)
    for gradients in found:
        for gradient, right in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(gradient, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_many_gradients_of_half_precision_add_up(dtype):
    query, key = ops.zeros((1, 1, 2), dtype=dtype), ops.zeros((1, 5000, 2), dtype=dtype)
    _, (gradient, _) = differentiated(lambda q, k: ops.cast(pairs.sums(q, k), "float32"), ops.sum)(query, key)
    np.testing.assert_allclose(gradient, np.full((1, 1, 2), 5000), rtol=0.01)


def test_shapes_before_there_are_numbers():
    query, key = keras.KerasTensor((None, 1, 5)), keras.KerasTensor((None, None, 5))
    assert pairs.sums(query, key).shape == (None, 1, None, 5)
    assert pairs.inner_products(pairs.sums(query, key), np.ones(5, "float32")).shape == (None, 1, None)
