"""Sums of every query and key, and their inner products with a vector.

TensorFlow forms their gradients by matrix products: XLA, on CPUs, takes long for the sums that autodiff would use.
"""

import keras
from keras import ops

from keras_attn import masking, products

_BY_HAND = keras.config.backend() == "tensorflow"


def sums(query, key):
    """``q_i + k_j`` for every query ``i`` and key ``j``.

    Args:
        query: ``(batch, Tq, units)``.
        key: ``(batch, Tv, units)``.

    Returns:
        ``(batch, Tq, Tv, units)``.
    """
    function = _sums_by_hand if _BY_HAND and not products.symbolic(query, key) else _sums
    return function(query, key)


def inner_products(pairs, weights):
    """``v . p_ij`` for every pair.

    Args:
        pairs: ``(batch, Tq, Tv, units)``.
        weights: ``(units,)``, the vector ``v``.

    Returns:
        ``(batch, Tq, Tv)``.
    """
    function = _products_by_hand if _BY_HAND and not products.symbolic(pairs, weights) else _products
    return function(pairs, weights)


def _sums(query, key):
    return ops.expand_dims(query, 2) + ops.expand_dims(key, 1)


@ops.custom_gradient
def _sums_by_hand(query, key):
    def gradients(upstream):
        accurate = masking.at_least_float32(upstream)
        of_query = products.matmul(ops.ones_like(accurate[:, :, None, :, 0]), accurate)
        of_key = ops.sum(accurate, axis=1)
        return ops.cast(ops.squeeze(of_query, axis=2), query.dtype), ops.cast(of_key, key.dtype)

    return _sums(query, key), gradients


def _products(pairs, weights):
    rows = ops.reshape(pairs, (-1, weights.shape[0]))
    return ops.reshape(products.matmul(rows, weights[:, None]), ops.shape(pairs)[:-1])


@ops.custom_gradient
def _products_by_hand(pairs, weights):
    def gradients(upstream):
        of_weights = ops.sum(products.matmul(upstream[:, :, None], pairs), axis=(0, 1, 2))
        return ops.matmul(upstream[..., None], weights[None, :]), of_weights

    return _products(pairs, weights), gradients
