"""Bilinear form."""

import keras

from keras_attn import masking
from keras_attn.scorers.inner_product import InnerProduct


@keras.saving.register_keras_serializable(package="keras_attn")
class General(InnerProduct):
    """Inner product of the query and a linear map of the key.

    ``score(q, h_j) = g q . W h_j``

    ``W`` (query_dim, key_dim), without bias, is the weight ``W_a`` of the paper. The product
    ``W h_j`` is made once per utterance. The paper has no ``g``, a weight that starts at 1: one
    number by which training makes all scores larger or smaller.

    Args:
        use_scale: Whether there is a ``g``; otherwise it is 1.

    Reference: Luong, Pham, Manning, "Effective Approaches to Attention-based Neural Machine
    Translation", 2015, arXiv:1508.04025, section 3.1 ("general").

    >>> scorer = General()
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(keras.ops.ones((1, 5, 3)))
    >>> tuple(scorer.score(keras.ops.ones((1, 2, 4)), memory, {}).shape)
    (1, 2, 5)
    """

    def __init__(self, use_scale=False, **kwargs):
        super().__init__(**kwargs)
        self.use_scale = use_scale

    def build(self, query_shape, key_shape):
        self.key_projection = keras.layers.Dense(
            query_shape[-1], use_bias=False, name="key_projection", dtype=self.dtype_policy
        )
        self.key_projection.build(key_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def prepare(self, key, mask=None):
        return {"key": self.key_projection(key)}

    def query_vectors(self, query):
        return masking.at_least_float32(query) * masking.at_least_float32(self.scale) if self.use_scale else query

    def get_config(self):
        return {**super().get_config(), "use_scale": self.use_scale}
