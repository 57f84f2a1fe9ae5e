"""An LSTM over all frames as one operation of TensorFlow, for inference with few utterances at a time."""

import keras
import tensorflow as tf


def outputs(layer, inputs, lengths):
    """The outputs of an LSTM layer, as `keras_attn.recurrent.outputs` returns them.

    Args:
        layer: `keras.layers.LSTM`, or `Bidirectional` with two of them, of float32 and the usual activations.
        inputs: `(batch, T, input_dim)`.
        lengths: int32 `(batch,)`, the number of frames that are real.

    Returns:
        `(batch, T, units)`, or twice the units; anything past the end of each sequence.
    """
    if isinstance(layer, keras.layers.Bidirectional):
        both = [outputs(one, inputs, lengths) for one in (layer.forward_layer, layer.backward_layer)]
        return tf.concat(both, axis=-1)
    cell = layer.cell
    inputs = tf.transpose(inputs, [1, 0, 2])
    hidden = _hidden(cell, _reversed(inputs, lengths) if layer.go_backwards else inputs)
    return tf.transpose(_reversed(hidden, lengths) if layer.go_backwards else hidden, [1, 0, 2])


def _reversed(x, lengths):
    return tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


def _hidden(cell, x):
    """The states `(T, batch, units)` after each step."""
    start = tf.zeros((tf.shape(x)[1], cell.units))
    no_peephole = tf.zeros((cell.units,))
    return tf.raw_ops.BlockLSTMV2(
        seq_len_max=tf.shape(x, out_type="int64")[0],
        x=x,
        cs_prev=start,
        h_prev=start,
        w=tf.concat([cell.kernel, cell.recurrent_kernel], axis=0),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=tf.convert_to_tensor(cell.bias),
        cell_clip=0.0,
    ).h
