import keras
import numpy as np
from keras import ops

from keras_attn.alignments.straight_through import straight_through
from tests.contract import gradients, to_numpy


def test_values_of_the_one_and_gradient_of_the_other(rng):
    hard = keras.Variable(rng.integers(0, 2, size=1000), dtype="float32")
    soft = keras.Variable(rng.random(1000), dtype="float32")
    np.testing.assert_array_equal(to_numpy(straight_through(hard.value[:], soft.value[:])), to_numpy(hard.value))
    grads = gradients(lambda: ops.sum(straight_through(hard.value[:], soft.value[:] ** 2)), [hard, soft])
    np.testing.assert_array_equal(grads[0], 0)
    np.testing.assert_allclose(grads[1], 2 * to_numpy(soft.value), rtol=1e-6)
