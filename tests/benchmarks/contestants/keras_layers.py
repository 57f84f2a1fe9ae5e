"""The attention layers of Keras, forward and backward, on TensorFlow."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf


def attend(layer, batch, queries, values, dim, jit=False):
    """`keras.layers.Attention` or another one, by its name."""
    layer = getattr(keras.layers, layer)()
    rng = np.random.default_rng(0)
    arrays = [tf.constant(rng.standard_normal((batch, time, dim), "float32")) for time in (queries, values)]
    layer(arrays)

    @tf.function(jit_compile=jit)
    def work():
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            result = tf.reduce_sum(layer(arrays))
        return tape.gradient(result, [*arrays, *layer.trainable_variables])

    return lambda: work()[0].numpy()
