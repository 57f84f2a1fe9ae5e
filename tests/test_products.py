"""Products of one row or more, compared with `keras.ops.matmul`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import products
from tests.backends import BACKEND, assert_close, differentiated, to_numpy

SHAPES = {"one_row": (3, 1), "rows": (3, 2), "no_frames": (3, 1), "of_heads": (3, 2, 1)}
SHAPES |= {"shared_matrix": (3, 1), "two_matrices": (3,), "nothing": (3, 0), "shared_of_heads": (3, 2, 4)}
SHARED = ("shared_matrix", "two_matrices", "nothing", "shared_of_heads")


def arrays_of(name, rng):
    n, m = (0 if name == "no_frames" else 5), 4
    leading = () if name in SHARED else SHAPES[name][:-1]
    return rng.normal(size=(*SHAPES[name], n)).astype("float32"), rng.normal(size=(*leading, n, m)).astype("float32")


@pytest.mark.parametrize("name", SHAPES)
def test_products_and_gradients(name, rng):
    x, w = arrays_of(name, rng)

    def squares(y):
        return ops.sum(y**2)

    expected = differentiated(ops.matmul, squares)(x, w)
    assert_close(differentiated(products.matmul, squares)(x, w), expected, 1e-5)
    if name in SHARED:
        return
    transposed = lambda x, w: products.matmul_transposed(x, ops.swapaxes(w, -1, -2))  # noqa: E731
    assert_close(differentiated(transposed, squares)(x, w), expected, 1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes(dtype, rng):
    x, w = (ops.cast(a, dtype) for a in arrays_of("one_row", rng))
    actual, expected = products.matmul(x, w), ops.matmul(x, w)
    assert actual.dtype == expected.dtype
    tolerance = {"float16": 1e-2, "bfloat16": 1e-1}.get(dtype, 1e-6)
    assert_close(to_numpy(actual), to_numpy(expected), tolerance)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="sizes are always known elsewhere")
@pytest.mark.parametrize("shape", [(2, 3, 5), (0, 3, 5), (2, 0, 5)])
def test_products_of_sizes_that_are_not_known(shape, rng):
    import tensorflow as tf

    w = rng.normal(size=(5, 4)).astype("float32")
    x = rng.normal(size=shape).astype("float32")
    for known in ((None, None, 5), (None, shape[1], 5), (shape[0], None, 5)):
        product = tf.function(products.matmul, [tf.TensorSpec(known), tf.TensorSpec((5, 4))])
        assert product.get_concrete_function().structured_outputs.shape == (*known[:2], 4)
        assert_close(to_numpy(product(x, w)), x @ w, 1e-5)


@pytest.mark.parametrize("rows", [0, 1, 64, 65])
@pytest.mark.parametrize("n", [160, 320, 321])
def test_product_with_a_large_matrix(rows, n, rng):
    x, w = (rng.normal(size=size).astype("float32") for size in ((rows, n), (n, 1024)))
    x = (x / n**0.5).astype("float32")

    def squares(y):
        return ops.mean(y**2) if rows else ops.sum(y)

    assert_close(to_numpy(products.matmul_alone(ops.array(x), ops.array(w))), x @ w, 1e-5)
    expected = differentiated(ops.matmul, squares)(x, w)
    assert_close(differentiated(products.matmul_alone, squares)(x, w), expected, 1e-5)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        for jit_compile in (False, True):
            signature = [tf.TensorSpec((None, n)), tf.TensorSpec((n, 1024))]
            product = tf.function(products.matmul_alone, signature, jit_compile=jit_compile)
            assert_close(to_numpy(product(x, w)), x @ w, 1e-5)


def test_symbolic_products():
    x = keras.KerasTensor((None, 320))
    assert products.matmul_alone(x, np.zeros((320, 1024), "float32")).shape == (None, 1024)
