import keras
import numpy as np
import pytest
from keras import ops

from keras_attn.alignments.recurrences import (
    linear_recurrence,
    linear_recurrence_by_frame,
    running_maximum,
    shift,
)
from tests.backends import BACKEND, gradients, to_numpy

SIZES = [1, 2, 3, 7, 8, 9, 1000]


def oracle(decay, inputs):
    x, before = np.zeros_like(inputs), 0.0
    for j in range(inputs.shape[-1]):
        before = x[..., j] = decay[..., j] * before + inputs[..., j]
    return x


@pytest.mark.parametrize("frames", [0, 1, 2, 5, 9, -1, -2, -5, -9])
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_shift(rng, frames, dtype):
    x = rng.integers(0, 9, size=(2, 3, 5)).astype(dtype)
    expected = np.full_like(x, 1)
    for j in range(5):
        if 0 <= j - frames < 5:
            expected[..., j] = x[..., j - frames]
    shifted = to_numpy(shift(ops.convert_to_tensor(x), frames, fill=1))
    assert shifted.dtype == x.dtype
    np.testing.assert_array_equal(shifted, expected)


@pytest.mark.parametrize("solve", [linear_recurrence, linear_recurrence_by_frame])
@pytest.mark.parametrize("size", SIZES)
def test_linear_recurrence(rng, solve, size):
    """Also where a decay is 0 or 1, and where it is shared by several inputs."""
    decay, inputs = rng.random((2, 1, size)) * 1.5, rng.random((2, 3, size))
    decay = np.clip(decay - 0.25, 0, 1).astype("float32")
    solution = to_numpy(solve(ops.convert_to_tensor(decay), ops.convert_to_tensor(inputs, dtype="float32")))
    np.testing.assert_allclose(solution, oracle(decay, inputs), rtol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="float64 is not float64 without further settings")
@pytest.mark.parametrize("solve", [linear_recurrence, linear_recurrence_by_frame])
def test_float64_stays(rng, solve):
    decay, inputs = rng.random((2, 9)), rng.random((2, 9))
    solution = to_numpy(solve(ops.convert_to_tensor(decay), ops.convert_to_tensor(inputs)))
    np.testing.assert_allclose(solution, oracle(decay, inputs), rtol=1e-14)


@pytest.mark.parametrize("size", SIZES)
def test_running_maximum(rng, size):
    x = rng.normal(size=(2, 3, size)).astype("float32") * 1000
    np.testing.assert_array_equal(to_numpy(running_maximum(ops.convert_to_tensor(x))), np.maximum.accumulate(x, -1))


def test_an_empty_memory():
    empty = ops.zeros((2, 3, 0))
    for x in (shift(empty), linear_recurrence(empty, empty), running_maximum(empty)):
        assert tuple(x.shape) == (2, 3, 0)


@pytest.mark.parametrize("solve", [linear_recurrence, linear_recurrence_by_frame])
def test_gradients(rng, solve):
    """``d x_j / d inputs_i`` is the product of the decays from ``i + 1`` to ``j``."""
    decay, inputs = (keras.Variable(rng.random(9), dtype="float32") for _ in range(2))
    of_decay, of_inputs = gradients(lambda: solve(decay.value[:], inputs.value[:])[6], [decay, inputs])
    d, x = to_numpy(decay.value), oracle(to_numpy(decay.value), to_numpy(inputs.value))
    np.testing.assert_allclose(of_inputs, [np.prod(d[i + 1 : 7]) if i <= 6 else 0 for i in range(9)], rtol=1e-5)
    expected = [0] + [np.prod(d[i + 1 : 7]) * x[i - 1] if i <= 6 else 0 for i in range(1, 9)]
    np.testing.assert_allclose(of_decay, expected, rtol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Only TensorFlow has graphs of unknown length")
@pytest.mark.parametrize("solve", [linear_recurrence, linear_recurrence_by_frame])
def test_a_graph_of_unknown_length(rng, solve):
    import tensorflow as tf

    unknown = tf.TensorSpec([None, None])

    @tf.function(input_signature=[unknown, unknown])
    def run(decay, inputs):
        with tf.GradientTape() as tape:
            tape.watch([decay, inputs])
            solution = solve(decay, inputs)
        return solution, running_maximum(inputs), tape.gradient(solution, [decay, inputs])

    for size in (0, *SIZES):
        decay, inputs = (tf.constant(rng.random((2, size)), "float32") for _ in range(2))
        with tf.GradientTape() as tape:
            tape.watch([decay, inputs])
            solution = linear_recurrence(decay, inputs)
        expected = (
            solution,
            running_maximum(inputs),
            tape.gradient(solution, [decay, inputs], unconnected_gradients="zero"),
        )
        for one, other in zip(keras.tree.flatten(run(decay, inputs)), keras.tree.flatten(expected), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)
