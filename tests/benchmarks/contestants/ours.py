"""Attention layers and decoders of this package, forward and backward, on the backend that KERAS_BACKEND names."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

from keras_attn import Attention, AttentionCell, AttentionRNN
from keras_attn.scorers import get as get_scorer


def decoder_steps(attention, batch=32, steps=50, frames=100, dim=256, cell=256, inputs=64):
    """An LSTM that attends after every step and is fed the context, over inputs that are known."""
    rnn = AttentionRNN(AttentionCell(keras.layers.LSTMCell(cell), Attention(attention)))
    return forward_and_backward(rnn, normal(batch, steps, inputs), normal(batch, frames, dim))


def attend(attention, batch, queries, values, dim, jit=False):
    """One layer, all queries at once."""
    layer = Attention(get_scorer(attention))
    return forward_and_backward(layer, normal(batch, queries, dim), normal(batch, values, dim), jit=jit)


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, "float32")


def forward_and_backward(layer, *arrays, jit=False):
    """A function that runs `layer` and forms the gradients by its inputs and by its weights."""
    layer(*arrays)
    backend = keras.config.backend()
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend](layer, arrays, jit)


def _tensorflow(layer, arrays, jit):
    import tensorflow as tf

    arrays = [tf.constant(array) for array in arrays]

    @tf.function(jit_compile=jit)
    def work():
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            result = tf.reduce_sum(layer(*arrays))
        return tape.gradient(result, [*arrays, *layer.trainable_variables])

    return lambda: [gradient.numpy() for gradient in work()[:1]]


def _jax(layer, arrays, jit):
    import jax

    variables = layer.trainable_variables, layer.non_trainable_variables

    def result(trainable, arrays, others):
        outputs, _ = layer.stateless_call(trainable, others, *arrays)
        return outputs.sum()

    graded = jax.jit(jax.grad(result, argnums=(0, 1)))
    values = [[variable.value for variable in each] for each in variables]
    arrays = [jax.numpy.asarray(array) for array in arrays]
    return lambda: jax.block_until_ready(graded(values[0], arrays, values[1]))


def _torch(layer, arrays, jit):
    import torch

    arrays = [torch.tensor(array, requires_grad=True) for array in arrays]
    parameters = [variable.value for variable in layer.trainable_variables]
    return lambda: torch.autograd.grad(layer(*arrays).sum(), [*arrays, *parameters])
