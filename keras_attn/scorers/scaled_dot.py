"""Inner product divided by the square root of the dimension."""

import keras

from keras_attn.scorers.scorer import Scorer, inner_products, require_equal_dims


@keras.saving.register_keras_serializable(package="keras_attn")
class ScaledDot(Scorer):
    """Inner product of query and key, scaled to unit variance.

    ``score(q, h_j) = q . h_j / sqrt(dim)``

    No weights; query and key have the same dimension ``dim``.

    Reference: Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762, section 3.2.1.

    >>> scores = ScaledDot().score(keras.ops.ones((1, 1, 4)), {"key": keras.ops.ones((1, 3, 4))}, {})
    >>> print(keras.ops.convert_to_numpy(scores))
    [[[2. 2. 2.]]]
    """

    def build(self, query_shape, key_shape):
        require_equal_dims(self, query_shape, key_shape)

    def score(self, query, memory, state):
        return inner_products(query, memory["key"]) * query.shape[-1] ** -0.5
