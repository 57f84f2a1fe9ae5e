"""Vectors of length 1."""

from keras import ops

from keras_attn import masking

# Shorter vectors count as zero, as the gradient of their direction may overflow.
_TINY = 1e-18


def unit_vectors(x):
    """``x / |x|`` over the last axis, in at least float32; zero, with gradient zero, where `x` is zero.

    >>> print(ops.convert_to_numpy(unit_vectors(ops.array([[3.0, 4.0], [0.0, 0.0]]))))
    [[0.6 0.8]
     [0.  0. ]]
    """
    x = masking.at_least_float32(x)
    size = ops.stop_gradient(ops.max(ops.abs(x), axis=-1, keepdims=True, initial=0))
    some = size > _TINY
    # The direction does not depend on this size, which may thus be a constant; squares then cannot overflow.
    x = ops.where(some, x / ops.where(some, size, ops.ones_like(size)), ops.zeros_like(x))
    squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x * ops.rsqrt(ops.where(some, squares, ops.ones_like(squares)))
