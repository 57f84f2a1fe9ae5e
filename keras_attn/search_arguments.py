"""Checks of what a beam search is given."""

import math

import keras
import numpy as np
from keras import ops


def limits_of(name, given, low, batch, largest=None):
    """Returns the limit of each utterance, `(batch,)` int32, and their maximum, or `largest` where it is given."""
    if largest is not None and not hasattr(largest, "shape"):
        check_integer("steps", largest, 0)
    if isinstance(given, int | np.integer):
        check_integer(name, given, low)
        given = int(given)
        return ops.full((batch,), given, "int32"), given if largest is None else largest
    limits = ops.convert_to_tensor(given)
    if "int" not in str(limits.dtype) or len(limits.shape) != 1:
        raise TypeError(f"Expected an int or integers of shape (batch,). Received: {name}={given}")
    limits = ops.cast(limits, "int32")
    return limits, ops.max(limits, initial=0) if largest is None else largest


def check_integer(name, value, low, high=math.inf):
    """Raises ValueError unless `value` is an int from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"Expected {name} as an int from {low} to {high}. Received: {name}={value!r}")


def check_batch(start_tokens, nest):
    """Raises ValueError unless the start tokens are `(batch,)` and all tensors of the nest `(batch, ...)`."""
    shape = tuple(start_tokens.shape)
    if len(shape) != 1:
        raise ValueError(f"Expected start_tokens of shape (batch,). Received: start_tokens.shape={shape}")
    for x in keras.tree.flatten(nest):
        if x is not None and (len(x.shape) < 1 or (None not in (shape[0], x.shape[0]) and shape[0] != x.shape[0])):
            raise ValueError(
                f"Expected state, constants, mask of shape (batch={shape[0]}, ...). Received: {tuple(x.shape)}"
            )
