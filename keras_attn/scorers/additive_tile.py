"""One tile of additive scores, some queries against some keys, and its gradients.

Nothing here depends on the lengths of the sequences, so that XLA compiles it once.
"""

import keras
from keras import ops

from keras_attn.compiled import compiled

# Products of exponentials stand for tanh(q + k) where no unit of the queries varies by more than 2 REACH:
# exp(2 (REACH + MARGIN)) is a number in float32, and tanh(MARGIN) is 1 in float64.
REACH, MARGIN = 23.0, 20.0
# The gradients go through so many queries at once. What is made of them stays in the cache; but torch, which does not
# compile, is better off with all.
STRIP = 64 if keras.config.backend() == "torch" else 4


@compiled
def scores(query, key, weights):
    """``v . tanh(q_i + k_j)``.

    Args:
        query: ``(queries, units)``; the number of queries is a multiple of `STRIP`.
        key: ``(keys, units)``.
        weights: ``(units,)``, the vector ``v``.

    Returns:
        ``(queries, keys)``.
    """
    return _with_hidden(lambda hidden, query, key: ops.einsum("iju,u->ij", hidden(query, key), weights), query, key)


@compiled
def gradients(query, key, weights, upstream):
    """Gradients of `scores` with respect to its arguments.

    Args:
        query, key, weights: As `scores` has them.
        upstream: ``(queries, keys)``, the gradient with respect to the scores.
    """

    def sums(hidden, query, key):
        def strip(i, totals):
            of_query, of_key, of_weights = totals
            some = ops.slice(upstream, (i * STRIP, 0), (STRIP, upstream.shape[1]))
            units = hidden(ops.slice(query, (i * STRIP, 0), (STRIP, query.shape[1])), key)
            slopes = 1 - units * units
            return (
                ops.slice_update(of_query, (i * STRIP, 0), ops.einsum("ij,iju->iu", some, slopes)),
                of_key + ops.sum(some[:, :, None] * slopes, axis=0),
                of_weights + ops.sum(some[:, :, None] * units, axis=0),
            )

        start = ops.zeros_like(query), ops.zeros_like(key), ops.zeros_like(key)
        return ops.fori_loop(0, query.shape[0] // STRIP, strip, start)

    of_query, of_key, of_weights = _with_hidden(sums, query, key)
    return weights * of_query, weights * of_key, ops.sum(of_weights, axis=0)


def _with_hidden(function, query, key):
    """``function(hidden, q, k)``, where ``hidden(q, k)`` is ``tanh(query_i + key_j)``, ``(queries, keys, units)``.

    It is so for some of the rows of ``q``, too.
    """
    lowest, highest = ops.min(query, axis=0), ops.max(query, axis=0)
    middle = lowest / 2 + highest / 2

    def by_products():
        # A key further out than REACH + MARGIN changes nothing, and a product that overflows is right too.
        bounded = ops.clip(key + middle, -REACH - MARGIN, REACH + MARGIN)
        return function(_tanh_of_product, ops.exp(2 * (query - middle)), ops.exp(2 * bounded))

    near = ops.all(highest - lowest <= 2 * REACH)
    return ops.cond(near, by_products, lambda: function(_tanh_of_sum, query, key))


def _tanh_of_product(query, key):
    """``tanh(q + k)`` of ``exp(2 q)`` and ``exp(2 k)``: no exponential for a pair."""
    return 1 - 2 / (1 + query[:, None, :] * key[None, :, :])


def _tanh_of_sum(query, key):
    return ops.tanh(query[:, None, :] + key[None, :, :])
