"""Masks (boolean, True = real) and reductions that honour them in every dtype."""

import keras
from keras import ops


def length_mask(lengths, max_length):
    """Mask of the first `lengths` positions.

    Args:
        lengths: ``(...)`` integers.
        max_length: Size of the axis that is masked.

    Returns:
        ``(..., max_length)`` booleans.

    >>> print(ops.convert_to_numpy(length_mask([1, 3], 3)))
    [[ True False False]
     [ True  True  True]]
    """
    lengths = ops.convert_to_tensor(lengths, dtype="int32")
    return ops.arange(max_length, dtype="int32") < lengths[..., None]


def causal_mask(num_queries, num_values):
    """Mask that lets query ``i`` see the values ``0 ... i``.

    Returns:
        ``(num_queries, num_values)`` booleans.

    >>> print(ops.convert_to_numpy(causal_mask(2, 3)))
    [[ True False False]
     [ True  True False]]
    """
    return ops.arange(num_values, dtype="int32") <= ops.arange(num_queries, dtype="int32")[:, None]


def both(mask, other):
    """The positions that are real in both masks, where None masks nothing."""
    if mask is None or other is None:
        return other if mask is None else mask
    return ops.logical_and(mask, other)


def positions(mask):
    """The number of real elements before each one: its index, but for what padding comes first.

    Args:
        mask: ``(..., T)`` booleans.

    Returns:
        ``(..., T)`` integers, at least 0.

    >>> print(ops.convert_to_numpy(positions([[False, True, True, False]])))
    [[0 0 1 2]]
    """
    real = ops.cast(mask, "int32")
    return ops.cumsum(real, axis=-1) - real


def first(mask):
    """True at the first real element of every row alone.

    Args:
        mask: ``(..., T)`` booleans.

    >>> print(ops.convert_to_numpy(first([[False, True, True], [False, False, False]])))
    [[False  True False]
     [False False False]]
    """
    return ops.logical_and(mask, ops.cumsum(ops.cast(mask, "int32"), axis=-1) == 1)


def zero_padding(x, mask):
    """Put 0 where `mask` is False, whatever stands there (NaN too); gradients there are 0.

    Args:
        x: ``(..., T, dim)``.
        mask: ``(..., T)`` booleans that broadcast to it; None masks nothing.
    """
    return x if mask is None else ops.where(mask[..., None], x, ops.zeros((), dtype=x.dtype))


def accumulation_dtype(dtype):
    """The dtype of scores and alignments where values have `dtype`: float64, or else float32."""
    return "float64" if keras.utils.standardize_dtype(dtype) == "float64" else "float32"


def at_least_float32(x):
    """Cast half precision up to float32; leave float32 and float64 alone."""
    return ops.cast(x, accumulation_dtype(x.dtype))


def normalize(weights):
    """Divide non-negative `weights` by their sum over the last axis; rows of zeros stay zeros.

    A sum of at most 1e-18 is taken for 0, as the gradient of the quotient would not be finite.
    """
    total = ops.sum(weights, axis=-1, keepdims=True)
    empty = total <= 1e-18
    return ops.where(empty, ops.zeros_like(weights), weights / ops.where(empty, ops.ones_like(total), total))


def masked_softmax(scores, mask=None):
    """Softmax over the last axis with weight exactly 0 at masked positions.

    Args:
        scores: ``(..., Tv)`` real numbers in float32 or float64; anything where `mask` is False.
        mask: Booleans that broadcast to `scores`; None masks nothing. A row without a real position gives zeros.
    """
    if mask is None:
        return _softmax(scores)
    weights = _softmax(ops.where(mask, scores, ops.cast(-1e30, scores.dtype)))
    return ops.where(mask, weights, ops.zeros((), dtype=scores.dtype))


def _softmax(scores):
    if scores.shape[-1] == 1:  # where Keras warns that all weights are 1
        return ops.exp(scores - scores)
    if len(scores.shape) == 2 and keras.config.backend() == "tensorflow":
        # One query at a time: oneDNN, to which TensorFlow hands over its softmax, takes three times as long.
        return ops.exp(ops.log_softmax(scores, axis=-1))
    return ops.softmax(scores, axis=-1)
