"""What Keras itself has."""

import keras
from contestants.differentiate import gradients, normal, versions

__all__ = ["additive", "dot", "versions"]


def dot(batch, queries, frames, dim, jit_compile):
    """`keras.layers.Attention`, forward and backward."""
    layer = keras.layers.Attention()
    inputs = normal(batch, queries, dim), normal(batch, frames, dim)
    return gradients(lambda *one: layer([*one]), [], *inputs, jit_compile=jit_compile)


def additive(batch, queries, frames, dim, units, jit_compile):
    """`keras.layers.AdditiveAttention` between projections, forward and backward."""
    layer = keras.layers.AdditiveAttention()
    of_query, of_key = keras.layers.Dense(units), keras.layers.Dense(units, use_bias=False)
    inputs = normal(batch, queries, dim), normal(batch, frames, dim)

    def call(query, value):
        return layer([of_query(query), value, of_key(value)])

    call(*(one[:1, :2] for one in inputs))  # makes the weights
    variables = [variable for part in (layer, of_query, of_key) for variable in part.trainable_variables]
    return gradients(call, variables, *inputs, jit_compile=jit_compile)
