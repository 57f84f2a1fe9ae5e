"""Entmax with any alpha from softmax to sparsemax."""

import math

import keras
from keras import ops

from keras_attn.alignments import simplex
from keras_attn.alignments.alignment import Alignment


@keras.saving.register_keras_serializable(package="keras_attn")
class Entmax(Alignment):
    """Sparse weights between those of softmax (``alpha`` near 1) and sparsemax (``alpha = 2``).

    ``a = argmax_p sum_j p_j e_j + H(p)``, ``H(p) = sum_j (p_j - p_j^alpha) / (alpha (alpha - 1))``

    ``a_j = max(0, (alpha - 1) e_j - tau) ** (1 / (alpha - 1))`` with ``tau`` such that ``sum_j a_j = 1``

    ``p`` are weights that are not negative and add up to 1, and ``H`` is the Tsallis entropy. The
    threshold ``tau`` is found by bisection. Weights below it are exactly 0: the larger ``alpha``,
    the more of them. Masked elements get weight 0; a row without a real element is all 0.

    Args:
        alpha: A number above 1, up to 2.
        learnable: Whether `alpha` is a weight, which starts there and stays between 1 and 2: the
            layer learns how sparse it is.

    At their ``alpha``, `Sparsemax` and `Entmax15` are the same and exact.

    References: Peters, Niculae and Martins, "Sparse Sequence-to-Sequence Models", 2019,
    arXiv:1905.05702; learnable: Correia, Niculae and Martins, "Adaptively Sparse Transformers",
    2019, arXiv:1909.00015.

    >>> scores, mask = ops.array([[1.0, 0.5, -0.25, 9.0]]), ops.array([[True, True, True, False]])
    >>> for alpha in (1.01, 1.5, 2):
    ...     print(ops.convert_to_numpy(Entmax(alpha).align(scores, mask)).round(2))
    [[0.53 0.32 0.15 0.  ]]
    [[0.65 0.31 0.03 0.  ]]
    [[0.75 0.25 0.   0.  ]]
    """

    def __init__(self, alpha=1.5, learnable=False, **kwargs):
        super().__init__(**kwargs)
        if not 1 < alpha <= 2:
            raise ValueError(f"Expected a number above 1, up to 2. Received: alpha={alpha}")
        if learnable and alpha == 2:
            raise ValueError(f"Expected a number between 1 and 2, as it is to be learnt. Received: alpha={alpha}")
        self.alpha = alpha
        self.learnable = learnable

    def build(self, query_shape, key_shape, context_shape):
        if self.learnable:
            logit = keras.initializers.Constant(math.log((self.alpha - 1) / (2 - self.alpha)))
            self.alpha_logit = self.add_weight(name="alpha_logit", shape=(), initializer=logit)

    def align(self, scores, mask, previous=None, training=None):
        excess = self._learnt_excess(scores.dtype) if self.learnable else self.alpha - 1
        return simplex.project(scores, mask, excess, _find_shift)

    def _learnt_excess(self, dtype):
        # At the lower bound it is softmax to rounding; the square of a smaller excess, in the gradient, may be 0.
        return ops.maximum(ops.sigmoid(ops.cast(self.alpha_logit, dtype)), 1e-6)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "learnable": self.learnable}


def _find_shift(distances, excess):
    """Bisection, until the interval is as small as the dtype can tell."""
    size = ops.cast(ops.maximum(ops.shape(distances)[-1], 1), distances.dtype)
    # The shift is 0 for one element alone, and this for as many as there are that all have the same score.
    width = -ops.expm1(-excess * ops.log(size)) / excess

    def halve(_, interval):
        low, width = interval
        width = width / 2
        total = ops.sum(simplex.deformed_exponential(distances - (low + width), excess), axis=-1, keepdims=True)
        return ops.where(total >= 1, low + width, low), width

    low = ops.zeros_like(ops.sum(distances, axis=-1, keepdims=True))
    halvings = 53 if keras.utils.standardize_dtype(distances.dtype) == "float64" else 24
    return ops.fori_loop(0, halvings, halve, (low, width))[0]
