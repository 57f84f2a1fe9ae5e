"""Products of single rows, one query at a time, with a matrix for each utterance."""

import keras
from keras import ops


def matmul(x, w):
    """``x @ w``, where TensorFlow is faster with an `x` of one row than by `ops.matmul`.

    Its operation of that is handed over to oneDNN, which takes up to four times as long for a row of float32 as
    TensorFlow does by itself.

    Args:
        x: ``(..., rows, n)``.
        w: ``(..., n, m)``, with the leading dimensions of `x`; of its dtype.

    >>> print(ops.convert_to_numpy(matmul(ops.array([[[1.0, 2.0]]]), ops.array([[[3.0, 4.0], [5.0, 6.0]]]))))
    [[[13. 16.]]]
    """
    return _of_one_row(x, w, adj_y=False) if _is_faster(x, w) else ops.matmul(x, w)


def matmul_transposed(x, w):
    """``x @ w^T``, with a `w` of ``(..., m, n)`` of which no transposed copy is made; see `matmul`."""
    return _of_one_row(x, w, adj_y=True) if _is_faster(x, w) else ops.einsum("...id,...jd->...ij", x, w)


def _is_faster(x, w):
    if keras.config.backend() != "tensorflow" or isinstance(x, keras.KerasTensor):
        return False
    return len(w.shape) > 2 and x.shape[-2] == 1 and x.dtype == "float32"


def _of_one_row(x, w, adj_y):
    import tensorflow as tf

    return tf.raw_ops.BatchMatMulV3(x=x, y=w, Tout=x.dtype, adj_y=adj_y)
