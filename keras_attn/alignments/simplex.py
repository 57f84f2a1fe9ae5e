"""Sparse weights that add up to 1: what sparsemax and the entmax functions share."""

from keras import ops

from keras_attn import masking

LOWEST = -1e30


def deformed_exponential(x, excess):
    """An exponential function that reaches 0.

    ``exp_alpha(x) = max(0, 1 + (alpha - 1) x) ** (1 / (alpha - 1))``

    It is ``max(0, 1 + x)`` at ``alpha = 2`` and goes to ``exp(x)`` as ``alpha`` goes to 1.

    Args:
        x: Real numbers in float32 or float64.
        excess: ``alpha - 1``, a tensor of the same dtype, above 0 and up to 1. It is not
            computed from ``alpha`` here, as a small excess would be rounded away.

    >>> print(ops.convert_to_numpy(deformed_exponential(ops.array([-3.0, -0.5, 0.0]), ops.array(0.5))))
    [0.     0.5625 1.    ]
    """
    inside = excess * x > -1
    x = ops.where(inside, x, ops.zeros_like(x))  # keeps log(0) out of the branch that is not taken
    return ops.where(inside, ops.exp(ops.log1p(excess * x) / excess), ops.zeros_like(x))


def project(scores, mask, excess, find_shift):
    """Weights ``a_j = exp_alpha(e_j - max_k e_k - shift)``, where the shift makes them add up to 1.

    The shift may come from what has no gradient, such as sorting or bisection: one step of
    Newton's method from there gives it, by the implicit function theorem, the gradient of the
    exact solution with respect to the scores and to ``alpha``.

    Args:
        scores: ``(..., Tv)`` in float32 or float64; anything where `mask` is False.
        mask: Booleans that broadcast to `scores`. A row without a real position gives zeros.
        excess: ``alpha - 1``, a number or a tensor.
        find_shift: Takes the distances ``e_j - max_k e_k``, very low where masked, and the excess,
            and returns the shift ``(..., 1)``.
    """
    excess = ops.convert_to_tensor(excess, dtype=scores.dtype)
    lowest = ops.cast(LOWEST, scores.dtype)
    scores = ops.where(mask, scores, lowest)
    peak = ops.stop_gradient(ops.max(scores, axis=-1, keepdims=True, initial=LOWEST))
    distances = ops.where(mask, scores - peak, lowest)
    shift = find_shift(ops.stop_gradient(distances), ops.stop_gradient(excess))
    shift = _newton_step(distances, excess, ops.stop_gradient(shift))
    # The sum is 1 but for rounding, and its gradient 0: dividing by it changes no gradient.
    return masking.normalize(deformed_exponential(distances - shift, excess))


def descending(x):
    """The last axis of `x` sorted from high to low, and the ranks ``1 ... Tv`` in the dtype of `x`."""
    return -ops.sort(-x, axis=-1), ops.arange(1, ops.shape(x)[-1] + 1, dtype=x.dtype)


def _newton_step(distances, excess, shift):
    weights = deformed_exponential(distances - shift, excess)
    positive = weights > 0
    # The derivative of exp_alpha is its own power 2 - alpha.
    slopes = ops.where(positive, ops.where(positive, weights, ops.ones_like(weights)) ** (1 - excess), 0)
    # No weight is above 1, so the slopes add up to at least as much as the weights; in an empty row to 0.
    slope = ops.maximum(ops.sum(slopes, axis=-1, keepdims=True), 1)
    return shift + (ops.sum(weights, axis=-1, keepdims=True) - 1) / ops.stop_gradient(slope)
