"""Products outside of loops; what loops make of them is tested with the loops."""

import numpy as np
import pytest
from keras import ops

from keras_attn import deferred
from tests.backends import BACKEND, assert_close


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the gradients are those of autodiff")
@pytest.mark.parametrize("n, m", [(3, 5), (5, 3), (4, 4), (1, 2)])
@pytest.mark.parametrize("known", [True, False])
def test_a_compiled_product_has_the_gradients_of_autodiff(n, m, known):
    import tensorflow as tf

    random = np.random.default_rng(0)
    x, w, upstream = (random.normal(size=(2, *shape)).astype("float32") for shape in ((6, n), (n, m), (6, m)))
    plus = np.float32(0.5)

    def of(product, jit_compile):
        shapes = [tf.TensorSpec(a.shape if known else (2, None, None)) for a in (x, w, upstream)]

        @tf.function(input_signature=shapes, jit_compile=jit_compile)
        def run(x, w, upstream):
            with tf.GradientTape() as outer:
                outer.watch([x, w])
                with tf.GradientTape() as tape:
                    tape.watch([x, w])
                    y = product(x, w)
                first = tape.gradient(y, [x, w], upstream)
                second = sum(tf.reduce_sum(g**2) for g in first)
            return y, *first, *outer.gradient(second, [x, w])

        return run(x, w, upstream)

    expected = of(lambda x, w: ops.matmul(x, w) + plus, False)
    for actual, right in zip(of(lambda x, w: deferred.matmul(x, w, plus), True), expected, strict=True):
        assert_close(actual, right, 1e-5)
