"""Products of one row or more, compared with `keras.ops.matmul`."""

import pytest
from keras import ops

from keras_attn import products
from tests.backends import assert_close, differentiated, to_numpy

SHAPES = {"one_row": (3, 1), "rows": (3, 2), "no_frames": (3, 1), "of_heads": (3, 2, 1), "shared_matrix": (3, 1)}


def arrays_of(name, rng):
    n, m = (0 if name == "no_frames" else 5), 4
    leading = SHAPES[name][:-1] if name != "shared_matrix" else ()
    return rng.normal(size=(*SHAPES[name], n)).astype("float32"), rng.normal(size=(*leading, n, m)).astype("float32")


@pytest.mark.parametrize("name", SHAPES)
def test_products_and_gradients(name, rng):
    x, w = arrays_of(name, rng)

    def squares(y):
        return ops.sum(y**2)

    expected = differentiated(ops.matmul, squares)(x, w)
    assert_close(differentiated(products.matmul, squares)(x, w), expected, 1e-5)
    transposed = lambda x, w: products.matmul_transposed(x, ops.swapaxes(w, -1, -2))  # noqa: E731
    assert_close(differentiated(transposed, squares)(x, w), expected, 1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes(dtype, rng):
    x, w = (ops.cast(a, dtype) for a in arrays_of("one_row", rng))
    actual, expected = products.matmul(x, w), ops.matmul(x, w)
    assert actual.dtype == expected.dtype
    tolerance = {"float16": 1e-2, "bfloat16": 1e-1}.get(dtype, 1e-6)
    assert_close(to_numpy(actual), to_numpy(expected), tolerance)
