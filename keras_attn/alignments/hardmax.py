"""All the weight to the largest score."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.alignments.alignment import Alignment
from keras_attn.alignments.straight_through import straight_through


def one_hot_of_largest(scores, mask):
    """1 where the largest real score is (the first of equals), else 0; zeros if nothing is real.

    Args:
        scores: ``(..., Tv)``; anything where `mask` is False.
        mask: Booleans that broadcast to `scores`.
    """
    scores = ops.where(mask, scores, ops.cast(-float("inf"), scores.dtype))
    peak = ops.max(scores, axis=-1, keepdims=True, initial=-float("inf"))
    return ops.cast(masking.first(ops.logical_and(mask, scores == peak)), scores.dtype)


@keras.saving.register_keras_serializable(package="keras_attn")
class Hardmax(Alignment):
    """Hard attention: weight 1 for the element with the largest score, 0 for all others.

    ``a_j = 1`` if ``j = argmax_k e_k``, else ``0``

    ``e`` are the scores; of several largest ones the first is taken. A step function has no
    useful gradient, so in the backward pass the softmax of the scores stands for it (the
    straight-through estimator). Masked elements get weight 0; a row without a real element is
    all 0.

    Args:
        straight_through: Whether the gradient is that of softmax; if False there is none.

    References: Xu et al., "Show, Attend and Tell: Neural Image Caption Generation with Visual
    Attention", 2015, arXiv:1502.03044 (hard attention, there trained by sampling);
    straight-through: Bengio, Léonard and Courville 2013, arXiv:1308.3432.

    >>> weights = Hardmax().align(ops.array([[1.0, 3.0, 3.0, 9.0]]), ops.array([[True, True, True, False]]))
    >>> print(ops.convert_to_numpy(weights))
    [[0. 1. 0. 0.]]
    """

    def __init__(self, straight_through=True, **kwargs):
        super().__init__(**kwargs)
        self.straight_through = straight_through

    def align(self, scores, mask, previous=None, training=None):
        hard = one_hot_of_largest(scores, mask)
        return straight_through(hard, masking.masked_softmax(scores, mask)) if self.straight_through else hard

    def get_config(self):
        return {**super().get_config(), "straight_through": self.straight_through}
