"""Ours, on TensorFlow."""

import keras
import numpy as np
import tensorflow as tf

from contestants import versions as _versions
from keras_attn import Attention, AttentionCell, AttentionRNN


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
    weights = lambda: [variable.value for variable in rnn.trainable_variables]  # noqa: E731
    return gradients(lambda *one: rnn(*one, training=True), weights, inputs, memory)
