"""Additive scores of one query at a time where XLA compiles them: no hyperbolic tangent for a pair of query and key.

``tanh(q + k) = 1 - 2 r`` with ``r = exp(-2 q) / (exp(2 k) + exp(-2 q))``: the exponentials of the keys are made once
per utterance and those of the query once per step, so that a pair costs a sum and a quotient. The gradients make these
anew, as XLA takes longer to keep them.
"""

from keras import ops

from keras_attn import masking

# Exponentials stand for keys no further from 0 than REACH. A query further out than REACH + MARGIN changes nothing, as
# tanh(MARGIN) is 1 in float64. In float32 exp(2 (REACH + MARGIN)) and exp(4 REACH) are numbers.
REACH, MARGIN = 20.0, 18.0


def prepare(key):
    """What `scores` has to know of the keys.

    Args:
        key: ``(batch, Tv, units)``, projected.

    Returns:
        A dict of batch-major tensors: ``"near"``, ``(batch,)`` booleans, and ``"key"``, ``(batch, Tv, units)``, which
        is ``exp(2 k)`` of the utterances that are near, and ``k`` of the others.
    """
    key = masking.at_least_float32(key)
    near = ops.all(ops.abs(key) <= REACH, axis=(1, 2))
    return {"near": near, "key": _of_near(near, lambda key: ops.exp(2 * key), key, key)}


def scores(query, memory, weights):
    """``v . tanh(q + k_j)`` for every key ``j``.

    Args:
        query: ``(batch, 1, units)``, projected.
        memory: What `prepare` returned.
        weights: ``(units,)``, the vector ``v``.

    Returns:
        ``(batch, 1, Tv)`` in at least float32.
    """
    tensors = (masking.at_least_float32(x) for x in (query, memory["key"], weights))
    return _by_hand(*tensors, ops.cast(memory["near"], memory["key"].dtype))


@ops.custom_gradient
def _by_hand(query, key, weights, near):
    def gradients(*args, upstream=None):  # torch alone gives the upstream gradient by name
        upstream = args[-1] if upstream is None else upstream
        of_query, row, slopes, of_weights = _either(
            _near_gradients, _far_gradients, query, key, weights, near, upstream
        )
        # The product is not made in the branches, so that XLA makes it as it adds it up over the steps.
        of_key = ops.matmul(ops.swapaxes(upstream, 1, 2), row) * slopes
        return of_query, of_key, of_weights, ops.zeros_like(near)

    return _either(_near, _far, query, key, weights, near), gradients


def _either(if_near, if_not, query, key, weights, near, *upstream):
    """What `if_near` returns where all utterances are near, or else `if_not`, which is told which of them are."""
    near = near > 0
    return ops.cond(
        ops.all(near),
        lambda: if_near(query, key, weights, *upstream),
        lambda: if_not(query, key, weights, near, *upstream),
    )


def _near(query, key, weights):
    exponential = _exponential(query)
    products = ops.matmul(1 / (key + exponential), ops.swapaxes(weights * exponential, 1, 2))
    return ops.sum(weights) - 2 * ops.swapaxes(products, 1, 2)


def _near_gradients(query, key, weights, upstream):
    """Gradients of the query and the weights; and a row and slopes, whose product is the gradient of each score."""
    exponential = _exponential(query)
    sums = key + exponential
    # The slopes are quotients too: XLA takes longer for the squares of the inverses.
    row, slopes = 2 * weights * exponential, 1 / ops.square(sums)
    of_products = ops.matmul(upstream, 1 / sums)
    of_exponential = row * ops.matmul(upstream, slopes) - 2 * weights * of_products
    of_weights = ops.sum(upstream) - 2 * ops.sum(exponential * of_products, axis=(0, 1))
    return -2 * exponential * of_exponential, row, slopes, of_weights


def _exponential(query):
    return ops.exp(-2 * ops.clip(query, -REACH - MARGIN, REACH + MARGIN))


def _far(query, key, weights, near):
    hidden = ops.tanh(query + _keys(key, near))
    return ops.swapaxes(ops.matmul(hidden, weights[:, None]), 1, 2)


def _far_gradients(query, key, weights, near, upstream):
    hidden = ops.tanh(query + _keys(key, near))
    row, slopes = ops.broadcast_to(weights, ops.shape(query)), 1 - ops.square(hidden)
    of_query, of_weights = row * ops.matmul(upstream, slopes), ops.sum(ops.matmul(upstream, hidden), axis=(0, 1))
    return of_query, row, _of_near(near, lambda key: slopes / (2 * key), key, slopes), of_weights


def _keys(key, near):
    """The keys themselves."""
    return _of_near(near, lambda key: ops.log(key) / 2, key, key)


def _of_near(near, function, key, other):
    """``function(key)`` of the utterances that are near, `other` of those that are not."""
    near = near[:, None, None]
    return ops.where(near, function(ops.where(near, key, ops.ones_like(key))), other)
