"""Inner product."""

import keras

from keras_attn.scorers.inner_product import InnerProduct
from keras_attn.scorers.scorer import require_equal_dims


@keras.saving.register_keras_serializable(package="keras_attn")
class Dot(InnerProduct):
    """Inner product of query and key.

    ``score(q, h_j) = q . h_j``

    No weights; query and key have the same dimension. Scores grow with the dimension, which
    makes a softmax over them sharp: see `ScaledDot`.

    Reference: Luong, Pham, Manning, "Effective Approaches to Attention-based Neural Machine
    Translation", 2015, arXiv:1508.04025, section 3.1 ("dot").

    >>> scores = Dot().score(keras.ops.ones((1, 1, 2)), {"key": keras.ops.ones((1, 3, 2))}, {})
    >>> print(keras.ops.convert_to_numpy(scores))
    [[[2. 2. 2.]]]
    """

    def build(self, query_shape, key_shape):
        require_equal_dims(self, query_shape, key_shape)

    def query_vectors(self, query):
        return query
