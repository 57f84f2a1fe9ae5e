"""Recurrent cells and layers, against Keras, which runs the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import recurrent
from tests.backends import BACKEND, assert_close, differentiated, to_numpy
from tests.contract import weighed

LSTM = keras.layers.LSTM
LAYERS = {
    "forwards": lambda **options: LSTM(5, return_sequences=True, **options),
    "backwards": lambda **options: LSTM(5, return_sequences=True, go_backwards=True, **options),
    "both": lambda **options: keras.layers.Bidirectional(LSTM(5, return_sequences=True, **options), **options),
    "other functions": lambda **options: LSTM(
        5, "relu", "hard_sigmoid", use_bias=False, return_sequences=True, **options
    ),
}
LENGTHS = np.array([7, 3, 0])
MASK = np.arange(7) < LENGTHS[:, None]


@pytest.fixture
def inputs(rng):
    return rng.normal(size=(3, 7, 4)).astype("float32")


def of_keras(layer, inputs, mask):
    """What Keras makes of it, in the order of the inputs."""
    outputs = layer(inputs, mask=mask)
    alone = isinstance(layer, LSTM) and layer.go_backwards
    return ops.flip(outputs, axis=1) if alone else outputs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_outputs_and_gradients_are_those_of_keras(inputs, make, training):
    layer = make()
    layer.build(inputs.shape)
    for weight in layer.weights:  # biases too
        weight.assign(np.random.default_rng(len(weight.path)).normal(0, 0.5, weight.shape))

    def run(function):
        real = lambda x: ops.where(MASK[..., None], function(layer, x, MASK), 0.0)  # noqa: E731
        return differentiated(real, lambda y: weighed([y]), layer.trainable_variables)(inputs)

    outputs, gradients = run(lambda *arguments: recurrent.outputs(*arguments, training))
    expected, others = run(of_keras)
    assert_close(outputs, expected)
    assert_close(gradients, others)
    assert all(np.any(gradient != 0) for gradient in gradients)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_outputs_in_other_dtypes(inputs, dtype, training):
    if dtype == "float64" and BACKEND != "tensorflow":
        pytest.skip("what Keras computes is not exact in float64 here")
    layer = LAYERS["both"](dtype=dtype)
    layer.build(inputs.shape)
    outputs = recurrent.outputs(layer, inputs, MASK, training)
    assert keras.utils.standardize_dtype(outputs.dtype) == layer.compute_dtype
    tolerance = {"mixed_float16": 2e-3, "mixed_bfloat16": 2e-2, "float64": 1e-12}[dtype]
    outputs, expected = to_numpy([outputs, of_keras(layer, inputs, MASK)])
    assert_close(outputs[MASK], expected[MASK], tolerance)


@pytest.mark.parametrize("shape", [(0, 7, 4), (2, 1, 4)])
def test_few_inputs(shape):
    layer = LAYERS["both"]()
    layer.build(shape)
    assert tuple(recurrent.outputs(layer, np.zeros(shape, "float32"), np.ones(shape[:2], "bool")).shape) == (
        *shape[:2],
        10,
    )


def test_padding_may_be_any_number(inputs):
    layer = LAYERS["both"]()
    layer.build(inputs.shape)
    outputs = to_numpy(recurrent.outputs(layer, inputs, MASK))[MASK]
    assert_close(to_numpy(recurrent.outputs(layer, np.where(MASK[..., None], inputs, 1e3), MASK))[MASK], outputs, 0)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("functions", [{}, {"activation": "relu", "use_bias": False}])
def test_a_step_is_that_of_keras(inputs, functions, dtype):
    cell = keras.layers.LSTMCell(5, **functions, dtype=dtype)
    cell.build((3, 4))
    for weight in cell.weights:
        weight.assign(np.random.default_rng(len(weight.path)).normal(0, 0.5, weight.shape))
    state = [ops.convert_to_tensor(x, cell.compute_dtype) for x in np.random.default_rng(0).normal(size=(2, 3, 5))]
    tolerance = {"float32": 1e-5, "mixed_float16": 2e-3, "mixed_bfloat16": 2e-2}[dtype]
    expected = to_numpy(cell(inputs[:, 0], state, training=False))
    assert_close(to_numpy(recurrent.step(cell, [inputs[:, 0]], state, training=False)), expected, tolerance)


def test_a_cell_with_dropout_is_left_to_keras(inputs):
    cell = keras.layers.LSTMCell(5, dropout=0.5)
    state = cell.get_initial_state(batch_size=3)
    outputs, _ = recurrent.step(cell, [ops.ones((3, 4))], state, training=True)
    expected, _ = cell(ops.ones((3, 4)), state, training=True)  # the mask of the first step is kept
    assert_close(to_numpy(outputs), to_numpy(expected))
    assert not np.allclose(to_numpy(outputs), to_numpy(recurrent.step(cell, [ops.ones((3, 4))], state)[0]))
