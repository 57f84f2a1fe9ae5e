"""Sparsemax."""

import keras
from keras import ops

from keras_attn.alignments import simplex
from keras_attn.alignments.alignment import Alignment


@keras.saving.register_keras_serializable(package="keras_attn")
class Sparsemax(Alignment):
    """The point of the simplex that is nearest to the scores: a softmax that reaches 0.

    ``a = argmin_p |p - e|^2``, so ``a_j = max(0, e_j - tau)`` with ``tau`` such that ``sum_j a_j = 1``

    ``p`` are weights that are not negative and add up to 1. An element whose score is far enough
    below the largest, at most by 1, gets weight exactly 0. It is `Entmax` with ``alpha = 2``,
    solved by sorting. Masked elements get weight 0; a row without a real element is all 0.

    Reference: Martins and Astudillo, "From Softmax to Sparsemax: A Sparse Model of Attention and
    Multi-Label Classification", 2016, arXiv:1602.02068.

    >>> weights = Sparsemax().align(ops.array([[1.0, 0.5, -1.0, 9.0]]), ops.array([[True, True, True, False]]))
    >>> print(ops.convert_to_numpy(weights))
    [[0.75 0.25 0.   0.  ]]
    """

    def align(self, scores, mask, previous=None, training=None):
        return simplex.project(scores, mask, 1.0, _find_shift)


def _find_shift(distances, excess):
    # tau lies from -1 to 0 below the largest, so that anything below -1 is the same.
    scores, rank = simplex.descending(ops.maximum(distances, -2))
    # The tau of the k largest elements alone rises with k while the next one is above it, and falls after that.
    candidates = (ops.cumsum(scores, axis=-1) - 1) / rank
    return ops.max(candidates, axis=-1, keepdims=True, initial=-1) + 1
