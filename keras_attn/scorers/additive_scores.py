"""``v . tanh(q_i + k_j)``, by the way that suits the size."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.scorers import additive_tiles, pairs

# From so many queries, and so many pairs times units, tiles take less time, as measured on two cores.
FEWEST_QUERIES, FEWEST_NUMBERS = 16, 20_000_000 if keras.config.backend() == "torch" else 1_000_000


def additive_scores(query, key, weights):
    """``v . tanh(q_i + k_j)`` for every query ``i`` and key ``j``, reduced in at least float32.

    Large problems are solved tile by tile, and so are their gradients, in memory that does not
    grow with `units`.

    Args:
        query: ``(batch, Tq, units)``, projected.
        key: ``(batch, Tv, units)``, projected.
        weights: ``(units,)``, the vector ``v``.

    Returns:
        ``(batch, Tq, Tv)``.
    """
    tiled = _tiled(query, key)
    if tiled is False:
        return whole(query, key, weights)
    return _by_hand(tiled)(*(masking.at_least_float32(x) for x in (query, key, weights)))


def _tiled(query, key):
    """Whether tiles are worth it: True or False, or a tensor where a length is not known yet."""
    if isinstance(query, keras.KerasTensor) or isinstance(key, keras.KerasTensor):
        return False
    (batch, tq, units), tv = ops.shape(query), ops.shape(key)[1]
    if isinstance(tq, int) and tq < FEWEST_QUERIES:
        return False
    large = batch * tq * tv >= FEWEST_NUMBERS // units
    return large if isinstance(large, bool) else ops.logical_and(large, tq >= FEWEST_QUERIES)


def _by_hand(tiled):
    """Additive scores with gradients that hold nothing of the way forward."""

    @ops.custom_gradient
    def scores(query, key, weights):
        def gradients(*args, upstream=None):  # torch alone gives the upstream gradient by name
            ways = additive_tiles.gradients, whole_gradients
            return _either(tiled, *ways, query, key, weights, args[-1] if upstream is None else upstream)

        return _either(tiled, additive_tiles.scores, whole, query, key, weights), gradients

    return scores


def _either(condition, yes, no, *tensors):
    """``yes(*tensors)`` or ``no(*tensors)``."""
    if isinstance(condition, bool):
        return (yes if condition else no)(*tensors)
    return ops.cond(condition, lambda: yes(*tensors), lambda: no(*tensors))


def whole(query, key, weights):
    """`additive_scores` by its definition."""
    hidden = ops.tanh(pairs.sums(query, key))
    return pairs.inner_products(*(masking.at_least_float32(x) for x in (hidden, weights)))


def whole_gradients(query, key, weights, upstream):
    """Gradients of `whole` with respect to its arguments.

    Args:
        query, key, weights: As `whole` has them, in one dtype.
        upstream: ``(batch, Tq, Tv)``, the gradient with respect to the scores.
    """
    hidden = ops.tanh(pairs.sums(query, key))
    slopes = upstream[..., None] * (1 - ops.square(hidden))
    of_weights = ops.sum(upstream[..., None] * hidden, axis=(0, 1, 2))
    return weights * ops.sum(slopes, axis=2), weights * ops.sum(slopes, axis=1), of_weights
