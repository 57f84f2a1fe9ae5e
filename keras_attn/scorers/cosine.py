"""Cosine of the angle between query and key."""

import keras

from keras_attn import masking
from keras_attn.scorers.inner_product import InnerProduct
from keras_attn.scorers.scorer import require_equal_dims
from keras_attn.scorers.unit_vectors import unit_vectors


@keras.saving.register_keras_serializable(package="keras_attn")
class Cosine(InnerProduct):
    """Cosine of the angle between query and key, times a learned number.

    ``score(q, h_j) = g cos(q, h_j) = g q . h_j / (|q| |h_j|)``

    Query and key have the same dimension; how long they are does not matter, and the cosine with
    a zero vector is 0. As cosines lie between -1 and 1, a softmax over them alone would be nearly
    flat. The weight ``g`` starts at 10: a key that points where the query does then gets
    ``exp(10)``, about 22,000, times the weight of one at right angles, and stands out among
    hundreds of elements.

    Args:
        use_scale: Whether there is a ``g``; otherwise it is 1.

    Reference: Graves, Wayne, Danihelka, "Neural Turing Machines", 2014, arXiv:1410.5401, section
    3.3.1 (content-based addressing, whose key strength comes from the network); with a learned
    number: Henry et al., "Query-Key Normalization for Transformers", 2020, arXiv:2010.04245.

    >>> scorer = Cosine(use_scale=False)
    >>> memory = scorer.prepare(keras.ops.array([[[9.0, 0.0], [0.0, 0.0], [-3.0, 4.0]]]))
    >>> print(keras.ops.convert_to_numpy(scorer.score(keras.ops.array([[[2.0, 0.0]]]), memory, {})))
    [[[ 1.   0.  -0.6]]]
    """

    def __init__(self, use_scale=True, **kwargs):
        super().__init__(**kwargs)
        self.use_scale = use_scale

    def build(self, query_shape, key_shape):
        require_equal_dims(self, query_shape, key_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer=keras.initializers.Constant(10.0))

    def prepare(self, key, mask=None):
        return {"key": unit_vectors(key)}

    def query_vectors(self, query):
        vectors = unit_vectors(query)
        return vectors * masking.at_least_float32(self.scale) if self.use_scale else vectors

    def get_config(self):
        return {**super().get_config(), "use_scale": self.use_scale}
