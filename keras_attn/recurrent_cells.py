"""Steps of recurrent cells of Keras, with less work in the loop where it is known how."""

import keras
from keras import ops

from keras_attn import deferred


def step(cell, inputs, state, training=None):
    """``cell(inputs, state)``; of an `LSTMCell` as one product with all weights, whose gradient is deferred.

    Args:
        cell: A recurrent cell of Keras.
        inputs: ``(batch, input_dim)``.
        state: State of the cell.
        training: Whether the model is being trained.
    """
    if type(cell) is keras.layers.StackedRNNCells:
        return _stack(cell.cells, inputs, state, training)
    random = training and (getattr(cell, "dropout", 0) or getattr(cell, "recurrent_dropout", 0))
    if type(cell) is keras.layers.LSTMCell and not random:
        return _lstm(cell, inputs, state)
    return cell(inputs, state, training=training)


def _stack(cells, inputs, states, training):
    after = []
    for cell, state in zip(cells, states, strict=True):
        inputs, state = step(cell, inputs, state, training)
        after.append(state)
    return inputs, after


def _lstm(cell, inputs, state):
    hidden, carried = (ops.cast(x, cell.compute_dtype) for x in state)
    kernels = [ops.cast(kernel, cell.compute_dtype) for kernel in (cell.kernel, cell.recurrent_kernel)]
    z = deferred.matmul(ops.concatenate([inputs, hidden], axis=-1), ops.concatenate(kernels, axis=0))
    if cell.use_bias:
        z = z + ops.cast(cell.bias, cell.compute_dtype)
    i, f, c, o = ops.split(z, 4, axis=-1)
    carried = cell.recurrent_activation(f) * carried + cell.recurrent_activation(i) * cell.activation(c)
    hidden = cell.recurrent_activation(o) * cell.activation(carried)
    return hidden, [hidden, carried]
