"""Forward and backward on the backend of Keras."""

import keras
import numpy as np
from contestants import versions as _versions
from keras import ops

_BACKEND = keras.config.backend()


def versions():
    return _versions.of(_BACKEND, "keras")


def normal(*shape):
    """A constant of normally distributed numbers."""
    return ops.convert_to_tensor(np.random.default_rng(0).standard_normal(shape), "float32")


def gradients(call, variables, *inputs, jit_compile=False):
    """What computes `mean(call(*inputs) ** 2)` once, and its gradients for the inputs and the Keras variables.

    JAX compiles in any case, torch never.
    """

    def loss(*inputs):
        return ops.mean(call(*inputs) ** 2)

    make = {"tensorflow": _on_tensorflow, "jax": _on_jax, "torch": _on_torch}[_BACKEND]
    return make(loss, variables, inputs, jit_compile)


def _on_tensorflow(loss, variables, inputs, jit_compile):
    import tensorflow as tf

    @tf.function(jit_compile=jit_compile)
    def forward_and_backward(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = loss(*inputs)
        return value, tape.gradient(value, [*inputs, *(variable.value for variable in variables)])

    return lambda: forward_and_backward(*inputs)


def _on_jax(loss, variables, inputs, _):
    import jax

    def stateless(inputs, values):
        with keras.StatelessScope(list(zip(variables, values, strict=True))):
            return loss(*inputs)

    forward_and_backward = jax.jit(jax.value_and_grad(stateless, argnums=(0, 1)))
    values = [variable.value for variable in variables]
    return lambda: jax.block_until_ready(forward_and_backward(inputs, values))


def _on_torch(loss, variables, inputs, _):
    import torch

    inputs = [x.requires_grad_() for x in inputs]
    values = [variable.value for variable in variables]

    def forward_and_backward():
        value = loss(*inputs)
        return value, torch.autograd.grad(value, [*inputs, *values], allow_unused=True)

    return forward_and_backward
