"""Sigmoids."""

import math

import keras
from keras import ops

from keras_attn.alignments.alignment import Alignment


@keras.saving.register_keras_serializable(package="keras_attn")
class Sigmoid(Alignment):
    """A sigmoid of each score: no element competes with another, and the weights need not add up to 1.

    ``a_j = 1 / (1 + exp(-(e_j + b)))``

    ``e`` are the scores. With the default ``b = -log(n)``, for the ``n`` real elements of the row,
    the weights of scores near 0 add up to about 1, however long the memory is. Masked elements
    get weight 0.

    Args:
        bias: The number ``b``; None for ``-log(n)``.

    Reference: Ramapuram et al., "Theory, Analysis, and Best Practices for Sigmoid Self-Attention",
    2024, arXiv:2409.04431.

    >>> weights = Sigmoid().align(ops.array([[0.0, 50.0, 0.0, 0.0]]), ops.array([[True, True, True, False]]))
    >>> print(ops.convert_to_numpy(weights))
    [[0.25 1.   0.25 0.  ]]
    """

    scores = "energies"

    def __init__(self, bias=None, **kwargs):
        super().__init__(**kwargs)
        if bias is not None and not math.isfinite(bias):
            raise ValueError(f"Expected a finite number or None. Received: bias={bias}")
        self.bias = bias

    def align(self, scores, mask, previous=None, training=None):
        zeros = ops.zeros_like(scores)
        bias = _minus_log_size(ops.where(mask, ops.ones_like(scores), zeros)) if self.bias is None else self.bias
        return ops.where(mask, ops.sigmoid(ops.where(mask, scores, zeros) + bias), zeros)

    def get_config(self):
        return {**super().get_config(), "bias": self.bias}


def _minus_log_size(ones):
    return -ops.log(ops.maximum(ops.sum(ones, axis=-1, keepdims=True), 1))
