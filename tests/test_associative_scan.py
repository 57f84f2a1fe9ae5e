"""Tests for `associative_scan.py`: against a Python loop, for every length that may go wrong."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.associative_scan import associative_scan
from tests.backends import gradients


def affine(first, then):
    """x -> a x + b, one after the other: not commutative."""
    return [first[0] * then[0], then[0] * first[1] + then[1]]


def recurrence(a, b):
    return associative_scan(affine, [a, b], [1.0, 0.0])[1]


def slow_recurrence(a, b):
    x, found = np.zeros(a.shape[:-1]), np.zeros(a.shape)
    for t in range(a.shape[-1]):
        x = a[..., t] * x + b[..., t]
        found[..., t] = x
    return found


def data(size):
    return np.random.default_rng(size).normal(size=(2, 2, 3, size)).astype("float32")


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 8, 1000])
def test_a_linear_recurrence(size):
    a, b = data(size)
    found = ops.convert_to_numpy(recurrence(ops.convert_to_tensor(a), ops.convert_to_tensor(b)))
    np.testing.assert_allclose(found, slow_recurrence(a, b), rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="sizes are known on other backends")
def test_of_unknown_length_in_a_small_graph():
    import tensorflow as tf

    graph = tf.function(recurrence, [tf.TensorSpec([None, 3, None])] * 2).get_concrete_function()
    assert len(graph.graph.as_graph_def().SerializeToString()) < 30_000
    for size in (0, 1, 2, 7, 64):
        a, b = data(size)
        np.testing.assert_allclose(graph(tf.constant(a), tf.constant(b)), slow_recurrence(a, b), rtol=1e-4, atol=1e-4)


def test_gradient():
    """Of the last element with respect to each b: the product of all later a."""
    a, b = data(6)
    variable = keras.Variable(b)
    (gradient,) = gradients(lambda: ops.sum(recurrence(ops.convert_to_tensor(a), variable.value)[..., -1]), [variable])
    expected = [a[..., t + 1 :].prod(axis=-1) for t in range(6)]
    np.testing.assert_allclose(gradient, np.stack(expected, axis=-1), rtol=1e-5, atol=1e-6)
