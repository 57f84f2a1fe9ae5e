"""Products that TensorFlow forms faster in other ways than by `ops.matmul`, such as those of a single step."""

import math

import keras
from keras import ops

from keras_attn import compiled

# For up to so many rows, a matrix of at least so many numbers goes in parts of at most so many of its rows.
_FEW, _LARGE, _PART = 64, 2**17, 160


def matmul(x, w):
    """``x @ w``.

    TensorFlow hands products over to oneDNN, which takes up to four times as long for one row with a matrix of its own
    as TensorFlow does by itself.

    Args:
        x: ``(..., rows, n)``.
        w: ``(n, m)`` for any `x`, or ``(..., n, m)`` with the leading dimensions of `x`; of its dtype.

    >>> print(ops.convert_to_numpy(matmul(ops.array([[[1.0, 2.0]]]), ops.array([[[3.0, 4.0], [5.0, 6.0]]]))))
    [[[13. 16.]]]
    """
    if keras.config.backend() != "tensorflow" or symbolic(x, w):
        return ops.matmul(x, w)
    if len(w.shape) > 2:
        return _of_one_row(x, w, adj_y=False) if _is_one_row(x) else ops.matmul(x, w)
    return ops.matmul(x, w) if None in w.shape or 0 in w.shape else _by_one_matrix(x, w)


def matmul_transposed(x, w):
    """``x @ w^T``, with a `w` of ``(batch, m, n)`` of which no transposed copy is made; see `matmul`."""
    if keras.config.backend() == "tensorflow" and not symbolic(x, w) and _is_one_row(x):
        return _of_one_row(x, w, adj_y=True)
    return ops.einsum("...id,...jd->...ij", x, w)


def symbolic(*tensors):
    """Whether any of these has a shape alone."""
    return any(isinstance(x, keras.KerasTensor) for x in tensors)


def _is_one_row(x):
    return x.shape[-2] == 1 and x.dtype == "float32"


def _of_one_row(x, w, adj_y):
    import tensorflow as tf

    return tf.raw_ops.BatchMatMulV3(x=x, y=w, Tout=x.dtype, adj_y=adj_y)


def _by_one_matrix(x, w):
    """The product with ``(n, m)``, as one of two matrices, with fewer operations around it than `ops.matmul` needs."""
    if len(x.shape) == 2:
        return ops.matmul(x, w)
    leading = tuple(x.shape[:-1])
    if leading.count(None) == 1 and 0 not in leading:
        leading = tuple(-1 if size is None else size for size in leading)
    else:
        leading = ops.shape(x)[:-1]
    return ops.reshape(ops.matmul(ops.reshape(x, (-1, w.shape[0])), w), (*leading, w.shape[1]))


def matmul_alone(x, w):
    """``x @ w``, where there is little else to compute at the same time, as in a step of a search.

    On CPUs, oneDNN takes twice to four times as long for a few rows with a matrix that does not fit beside them into
    the cache of a core, as for all of its parts, which different cores can take besides.

    Args:
        x: ``(rows, n)``.
        w: ``(n, m)``.

    >>> print(ops.convert_to_numpy(matmul_alone(ops.array([[1.0, 2.0]]), ops.array([[3.0, 4.0], [5.0, 6.0]]))))
    [[13. 16.]]
    """
    in_parts = keras.config.backend() == "tensorflow" and not symbolic(x, w) and _is_large(w)
    return _in_parts(x, w) if in_parts else ops.matmul(x, w)


def _is_large(w):
    """Whether parts of `w` may take less time; what is cut out of it is no copy where its rows are aligned."""
    import tensorflow as tf

    n, m = w.shape
    large = n > _PART and n * m >= _LARGE and m % 16 == 0 and w.dtype == "float32"
    return large and not tf.config.list_physical_devices("GPU") and not compiled.by_xla()


def _in_parts(x, w):
    """The product, in parts if there are few rows."""
    import tensorflow as tf

    n = w.shape[0]
    size = math.ceil(n / math.ceil(n / _PART))

    def parts():
        return tf.add_n([tf.matmul(x[:, i : i + size], w[i : i + size]) for i in range(0, n, size)])

    few = ops.shape(x)[0] <= _FEW
    if isinstance(few, bool):
        return parts() if few else ops.matmul(x, w)
    return tf.cond(few, parts, lambda: ops.matmul(x, w))
