"""Ours, on TensorFlow."""

import keras
import numpy as np
import tensorflow as tf
from contestants import versions as _versions

from keras_attn import Attention, AttentionCell, AttentionRNN, scorers


def versions():
    return _versions.of("tensorflow", "keras")


def normal(*shape):
    """A constant of normally distributed numbers."""
    return tf.constant(np.random.default_rng(0).standard_normal(shape), "float32")


def gradients(call, weights, *inputs, jit_compile=False):
    """What computes `mean(call(*inputs) ** 2)` once, and its gradients for the inputs and the weights."""

    @tf.function(jit_compile=jit_compile)
    def forward_and_backward(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_mean(call(*inputs) ** 2)
        return loss, tape.gradient(loss, [*inputs, *weights()])

    return lambda: forward_and_backward(*inputs)


def decoder_steps(scorer, batch, frames, dim, lstm, steps, input_dim, query="last", output="concatenation"):
    """Teacher-forced steps of an LSTM that attends, forward and backward."""
    cell = AttentionCell(keras.layers.LSTMCell(lstm), Attention(scorer), query=query, output=output)
    rnn = AttentionRNN(cell)
    inputs, memory = normal(batch, steps, input_dim), normal(batch, frames, dim)
    rnn.build(inputs.shape, memory.shape)
    return gradients(lambda *one: rnn(*one, training=True), lambda: _weights(rnn), inputs, memory)


def attention(scorer, options, batch, queries, frames, dim, jit_compile):
    """All queries at once, forward and backward."""
    layer = Attention(getattr(scorers, scorer)(**options))
    query, value = normal(batch, queries, dim), normal(batch, frames, dim)
    layer.build(query.shape, value.shape)
    return gradients(layer, lambda: _weights(layer), query, value, jit_compile=jit_compile)


def _weights(layer):
    return [variable.value for variable in layer.trainable_variables]
