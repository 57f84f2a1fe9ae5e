"""Recurrent cells and layers of Keras, with less work in the loop where it is known how."""

import keras
import numpy as np
from keras import ops

from keras_attn import compiled, deferred, loops, products, several

# The input of a gate that is closed: the sigmoid of it is 0 in every dtype.
_CLOSED = -1e4


def step(cell, inputs, state, training=None):
    """``cell(inputs, state)``; of an `LSTMCell` faster, in a loop that defers gradients or where nothing is learnt.

    Args:
        cell: A recurrent cell of Keras.
        inputs: List of ``(batch, dim)`` tensors that beside each other are the input.
        state: State of the cell.
        training: Whether the model is being trained.
    """
    if type(cell) is keras.layers.StackedRNNCells:
        return _stack(cell.cells, inputs, state, training)
    random = training and (getattr(cell, "dropout", 0) or getattr(cell, "recurrent_dropout", 0))
    if type(cell) is keras.layers.LSTMCell and not random and (deferred.is_recorded() or training is False):
        hidden, carried = (ops.cast(x, cell.compute_dtype) for x in state)
        z = _sums(cell, [ops.cast(x, cell.compute_dtype) for x in inputs], hidden)
        return _lstm(cell, z + _weight(cell, "bias") if cell.use_bias else z, carried, training)
    return cell(several.join(inputs), state, training=training)


def outputs(layer, inputs, mask, training=None):
    """The outputs of an LSTM layer, as ``layer(inputs, mask=mask)`` with `return_sequences` gives them.

    What does not depend on the step before is done for all steps at once.

    Args:
        layer: A `keras.layers.LSTM`, or `Bidirectional` with two of them, without dropout.
        inputs: ``(batch, T, input_dim)``, finite where padded.
        mask: ``(batch, T)`` booleans, False from the end of each sequence on.
        training: Whether the model is being trained.

    Returns:
        ``(batch, T, units)``, or twice the units; anything where `mask` is False.
    """
    if isinstance(layer, keras.layers.Bidirectional):
        both = [outputs(one, inputs, mask, training) for one in (layer.forward_layer, layer.backward_layer)]
        return ops.concatenate(both, axis=-1)
    cell = layer.cell
    # What has the bias added to it, and what closes the input gate, so that the state stays 0 until a sequence begins
    # at its end, are two more inputs: what goes through memory fewer times takes less of it.
    real = ops.cast(mask, cell.compute_dtype)[..., None]
    inputs = ops.concatenate([ops.cast(inputs, cell.compute_dtype), real, 1 - real], axis=-1)
    z = products.matmul(ops.swapaxes(inputs, 0, 1), ops.concatenate([_weight(cell, "kernel"), *_rows(cell)], axis=0))

    recurrent_kernel = _weight(cell, "recurrent_kernel")

    def step(state, z):
        hidden, carried = state
        z = deferred.matmul(hidden, recurrent_kernel, plus=z)
        hidden, state = _lstm(cell, z, carried, training)
        return state, hidden

    start = ops.zeros_like(z[0, :, : cell.units])
    scan = loops.scan_without_gradients if training is False else loops.time_major_scan
    _, hidden = scan(step, [start, start], z, reverse=layer.go_backwards)
    return ops.swapaxes(hidden, 0, 1)


def _rows(cell):
    """What is added to the inputs of the gates where there is something to hear, and in padding."""
    closed = np.where(np.arange(4 * cell.units) < cell.units, _CLOSED, 0.0)
    closed = ops.convert_to_tensor(closed, cell.compute_dtype)
    bias = _weight(cell, "bias") if cell.use_bias else ops.zeros_like(closed)
    return bias[None], closed[None]


def _stack(cells, inputs, states, training):
    after = []
    for cell, state in zip(cells, states, strict=True):
        output, state = step(cell, inputs, state, training)
        inputs = [output]
        after.append(state)
    return output, after


def _sums(cell, inputs, hidden):
    """What enters the gates and the memory of an `LSTMCell`, without the bias."""
    kernel, recurrent_kernel = _weight(cell, "kernel"), _weight(cell, "recurrent_kernel")
    if not deferred.is_recorded():
        return products.matmul_alone(several.join(inputs), kernel) + products.matmul_alone(hidden, recurrent_kernel)
    # Apart, one product need not wait for what the others do.
    pairs, start = [(hidden, recurrent_kernel)], 0
    for x in inputs:
        pairs.append((x, kernel[start : start + x.shape[-1]]))
        start += x.shape[-1]
    return deferred.sum_of_products(pairs)


def _lstm(cell, z, carried, training):
    """Output and state of an `LSTMCell`, from the sums that enter its gates and its memory."""
    at_once = training is False and _is_usual(cell) and compiled.by_xla()
    i, f, c, o = (_gates_at_once if at_once else _gates)(cell, z)
    carried = f * carried + i * c
    hidden = o * cell.activation(carried)
    return hidden, [hidden, carried]


def _gates(cell, z):
    """The gates ``i``, ``f`` and ``o`` of an `LSTMCell`, and what may enter its memory as the third."""
    i, f, c, o = ops.split(z, 4, axis=-1)
    return cell.recurrent_activation(i), cell.recurrent_activation(f), cell.activation(c), cell.recurrent_activation(o)


def _gates_at_once(cell, z):
    """The same by one function of all, ``sigmoid(x) = (1 + tanh(x / 2)) / 2``: XLA's is faster, its gradient slower."""
    scale = np.repeat([0.5, 0.5, 1.0, 0.5], cell.units)
    scale, shift = (ops.convert_to_tensor(x, z.dtype) for x in (scale, 1 - scale))
    return ops.split(ops.tanh(z * scale) * scale + shift, 4, axis=-1)


def _is_usual(cell):
    return cell.recurrent_activation is keras.activations.sigmoid and cell.activation is keras.activations.tanh


def _weight(cell, name):
    return ops.cast(getattr(cell, name), cell.compute_dtype)
