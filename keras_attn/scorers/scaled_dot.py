"""Inner product divided by the square root of the dimension."""

import keras

from keras_attn import masking
from keras_attn.scorers.inner_product import InnerProduct
from keras_attn.scorers.scorer import require_equal_dims


@keras.saving.register_keras_serializable(package="keras_attn")
class ScaledDot(InnerProduct):
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

    def query_vectors(self, query):
        return masking.at_least_float32(query) * query.shape[-1] ** -0.5
