"""Products of few rows, the state of one step say, which TensorFlow forms faster in other ways than by `ops.matmul`.

Its operation of that is handed over to oneDNN, which takes up to four times as long for a row with a matrix of its own
as TensorFlow does by itself; and, on CPUs, for rows with one matrix that does not fit beside them into the cache of a
core, twice to four times as long as for its parts, which different cores can take besides.
"""

import math

import keras
from keras import ops

from keras_attn import compiled

# A matrix of at least so many numbers goes in parts of at most so many of its rows, for so many rows on its left.
_LARGE, _PART, _FEW = 2**17, 160, 64


def matmul(x, w):
    """``x @ w``.

    Args:
        x: ``(..., rows, n)``.
        w: ``(n, m)`` for any `x`, or ``(..., n, m)`` with the leading dimensions of `x`; of its dtype.

    >>> print(ops.convert_to_numpy(matmul(ops.array([[[1.0, 2.0]]]), ops.array([[[3.0, 4.0], [5.0, 6.0]]]))))
    [[[13. 16.]]]
    """
    if keras.config.backend() != "tensorflow" or _symbolic(x, w):
        return ops.matmul(x, w)
    if len(w.shape) > 2:
        return _of_one_row(x, w, adj_y=False) if _is_one_row(x) else ops.matmul(x, w)
    return ops.matmul(x, w) if len(x.shape) < 2 or None in w.shape or 0 in w.shape else _by_one_matrix(x, w)


def matmul_transposed(x, w):
    """``x @ w^T``, with a `w` of ``(batch, m, n)`` of which no transposed copy is made; see `matmul`."""
    if keras.config.backend() == "tensorflow" and not _symbolic(x, w) and _is_one_row(x):
        return _of_one_row(x, w, adj_y=True)
    return ops.einsum("...id,...jd->...ij", x, w)


def _symbolic(*tensors):
    return any(isinstance(x, keras.KerasTensor) for x in tensors)


def _is_one_row(x):
    return x.shape[-2] == 1 and x.dtype == "float32"


def _of_one_row(x, w, adj_y):
    import tensorflow as tf

    return tf.raw_ops.BatchMatMulV3(x=x, y=w, Tout=x.dtype, adj_y=adj_y)


def _by_one_matrix(x, w):
    """The product with ``(n, m)``, as one of two matrices, with fewer operations around it than `ops.matmul` needs."""
    if len(x.shape) == 2:
        return _in_parts(x, w) if _is_large(x, w) else ops.matmul(x, w)
    leading = tuple(x.shape[:-1])
    if leading.count(None) == 1 and 0 not in leading:
        leading = tuple(-1 if size is None else size for size in leading)
    else:
        leading = ops.shape(x)[:-1]
    rows = ops.reshape(x, (-1, w.shape[0]))
    return ops.reshape(_by_one_matrix(rows, w), (*leading, w.shape[1]))


def _is_large(x, w):
    """Whether parts of ``(n, m)`` take less time; what is cut out of it is no copy where its rows are aligned."""
    n, m = w.shape
    few = x.shape[0] is None or x.shape[0] <= _FEW
    large = n > _PART and n * m >= _LARGE and m % 16 == 0 and x.dtype == "float32"
    return few and large and _on_cpu() and not compiled.by_xla()


def _on_cpu():
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


def _in_parts(x, w):
    import tensorflow as tf

    n = w.shape[0]
    size = math.ceil(n / math.ceil(n / _PART))
    return tf.add_n([tf.matmul(x[:, i : i + size], w[i : i + size]) for i in range(0, n, size)])
