"""The loops of TensorFlow against a loop in Python, with every kind of product that they treat in a way of its own."""

import numpy as np
import pytest

from keras_attn import deferred
from tests.backends import BACKEND, assert_close

if BACKEND != "tensorflow":
    pytest.skip("other backends have loops of their own", allow_module_level=True)

import tensorflow as tf

from keras_attn import tensorflow_scan

SCANS = {"with gradients": tensorflow_scan.scan, "without": tensorflow_scan.scan_without_gradients}
ROWS, DIM = 2, 3


def in_python(step, state, inputs, reverse=False):
    """What a scan returns."""
    order, outputs = range(inputs[0].shape[0]), {}
    for number in reversed(order) if reverse else order:
        state, outputs[number] = step(state, [x[number] for x in inputs])
    return state, tf.stack([outputs[number] for number in order])


def step_of(weights):
    into, of_state, of_both, shared, of_each = weights

    def step(state, inputs):
        x, added = inputs
        y = deferred.matmul(state, of_state, plus=added)
        y += deferred.matmul(tf.tanh(state), shared)
        y += deferred.matmul(x, into, plus=state)
        y += deferred.sum_of_products([(x, of_both), (state, shared)], plus=state)
        y += deferred.matmul(y[:, None], of_each)[:, 0]
        return tf.tanh(y), y

    return step


@pytest.fixture
def tensors(rng):
    shapes = {"state": (ROWS, DIM), "x": (4, ROWS, DIM), "added": (4, ROWS, DIM)}
    shapes |= {name: (DIM, DIM) for name in ("into", "of_state", "of_both", "shared")} | {"of_each": (ROWS, DIM, DIM)}
    return [tf.constant(rng.normal(0, 0.5, shape), "float64") for shape in shapes.values()]


def differentiated(scan, tensors, reverse):
    def run(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            state, x, added, *weights = tensors
            last, outputs = scan(step_of(weights), state, [x, added], reverse=reverse)
            loss = tf.reduce_sum(last**2) + tf.reduce_sum(outputs**3)
        return [last, outputs, *tape.gradient(loss, tensors)]

    return tf.function(run, autograph=False)(*tensors)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS)
def test_results_and_gradients_are_those_of_a_loop_in_python(scan, reverse, tensors):
    expected = differentiated(in_python, tensors, reverse)
    for found, right in zip(differentiated(scan, tensors, reverse), expected, strict=True):
        assert np.any(right != 0)
        assert_close(found, right, 1e-10)


@pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS)
def test_no_steps(scan, tensors):
    state, x, added, *weights = tensors
    last, outputs = scan(step_of(weights), state, [x[:0], added[:0]])
    assert_close(last, state)
    assert outputs.shape == (0, ROWS, DIM)
