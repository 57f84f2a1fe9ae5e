"""Our layers, on the backend of Keras."""

import keras
from contestants.differentiate import gradients, normal, versions

from keras_attn import Attention, AttentionCell, AttentionRNN, scorers

__all__ = ["attention", "decoder_steps", "versions"]


def decoder_steps(
    scorer, batch, frames, dim, lstm, steps, input_dim, query="last", output="concatenation", jit_compile=False
):
    """Teacher-forced steps of an LSTM that attends, forward and backward."""
    cell = AttentionCell(keras.layers.LSTMCell(lstm), Attention(scorer), query=query, output=output)
    rnn = AttentionRNN(cell)
    inputs, memory = normal(batch, steps, input_dim), normal(batch, frames, dim)
    rnn.build(inputs.shape, memory.shape)
    call = lambda *one: rnn(*one, training=True)  # noqa: E731
    return gradients(call, rnn.trainable_variables, inputs, memory, jit_compile=jit_compile)


def attention(scorer, options, batch, queries, frames, dim, jit_compile, heads=None):
    """All queries at once, forward and backward."""
    scorer = getattr(scorers, scorer)(**options)
    layer = Attention(scorers.MultiHead(scorer, heads) if heads else scorer)
    query, value = normal(batch, queries, dim), normal(batch, frames, dim)
    layer.build(query.shape, value.shape)
    return gradients(layer, layer.trainable_variables, query, value, jit_compile=jit_compile)
