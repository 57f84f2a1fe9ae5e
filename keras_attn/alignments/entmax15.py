"""Entmax with alpha = 1.5."""

import keras
from keras import ops

from keras_attn.alignments import simplex
from keras_attn.alignments.alignment import Alignment


@keras.saving.register_keras_serializable(package="keras_attn")
class Entmax15(Alignment):
    """Half-way between softmax and sparsemax: `Entmax` with ``alpha = 1.5``, solved by sorting.

    ``a_j = max(0, e_j / 2 - tau)^2`` with ``tau`` such that ``sum_j a_j = 1``

    ``e`` are the scores. An element whose score is far enough below the largest, at most by 2,
    gets weight exactly 0. Masked elements get weight 0; a row without a real element is all 0.

    Reference: Peters, Niculae and Martins, "Sparse Sequence-to-Sequence Models", 2019,
    arXiv:1905.05702.

    >>> weights = Entmax15().align(ops.array([[1.0, 1.0, -1.0, 9.0]]), ops.array([[True, True, True, False]]))
    >>> print(ops.convert_to_numpy(weights))
    [[0.5 0.5 0.  0. ]]
    """

    def align(self, scores, mask, previous=None, training=None):
        return simplex.project(scores, mask, 0.5, _find_shift)


def _find_shift(distances, excess):
    # tau lies from -1 to 0 below the largest, so that anything below -1 is the same.
    halves, rank = simplex.descending(ops.maximum(distances / 2, -2))
    mean, mean_square = (ops.cumsum(x, axis=-1) / rank for x in (halves, ops.square(halves)))
    # The tau at which the k largest elements alone add up to 1. It holds if the k-th is above it, and then
    # rises with k: the largest that holds is that of the whole support.
    candidates = mean - ops.sqrt(ops.maximum(1 / rank - (mean_square - ops.square(mean)), 0))
    held = ops.where(candidates <= halves, candidates, -ops.ones_like(candidates))
    return 2 * (ops.max(held, axis=-1, keepdims=True, initial=-1) + 1)
