"""Rows of tensors by their numbers."""

import keras
from keras import ops


def take(x, rows):
    """The `rows` of `x`, numbers from 0 on, by the only operation that takes.

    >>> print(ops.convert_to_numpy(take(ops.convert_to_tensor([[1, 2], [3, 4]]), ops.convert_to_tensor([1, 1]))))
    [[3 4]
     [3 4]]
    """
    if keras.config.backend() == "tensorflow":
        import tensorflow

        return tensorflow.gather(x, rows)  # `ops.take` looks for negative numbers first, by five operations
    return ops.take(x, rows, axis=0)
