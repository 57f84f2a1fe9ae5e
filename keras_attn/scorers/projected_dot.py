"""Inner product of a small network of the query and one of the key."""

import keras

from keras_attn import deferred, masking
from keras_attn.scorers.inner_product import InnerProduct


@keras.saving.register_keras_serializable(package="keras_attn")
class ProjectedDot(InnerProduct):
    """Inner product of a small network of the query and one of the key.

    ``score(q, h_j) = f(U q + b) . f(W h_j + c) / sqrt(units)``

    ``U`` (units, query_dim), ``W`` (units, key_dim), ``b`` and ``c`` (units) are weights, ``f`` is
    the activation. ``f(W h_j + c)`` is made once per utterance.

    With the defaults it is a head of the Transformer. The scorer of Listen, Attend and Spell is
    ``ProjectedDot(activation="tanh", scaled=False)``, by name ``"listen_attend_spell"``; the paper
    leaves open what its networks ``phi`` and ``psi`` are.

    Args:
        units: Size of both projections (``d_k`` of Vaswani et al.).
        activation: Function ``f`` or its name; None for the identity.
        use_bias: Whether there are ``b`` and ``c``.
        scaled: Whether the product is divided by ``sqrt(units)``.

    Reference: Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762, section 3.2;
    Chan et al., "Listen, Attend and Spell", 2016, arXiv:1508.01211, section 3.2.

    >>> scorer = ProjectedDot(units=8)
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(keras.ops.ones((1, 5, 3)))
    >>> tuple(scorer.score(keras.ops.ones((1, 2, 4)), memory, {}).shape)
    (1, 2, 5)
    """

    def __init__(self, units=128, activation=None, use_bias=True, scaled=True, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.scaled = scaled
        options = {"activation": self.activation, "use_bias": use_bias, "dtype": self.dtype_policy}
        self.query_projection = keras.layers.Dense(units, name="query_projection", **options)
        self.key_projection = keras.layers.Dense(units, name="key_projection", **options)

    def build(self, query_shape, key_shape):
        self.query_projection.build(query_shape)
        self.key_projection.build(key_shape)

    def prepare(self, key, mask=None):
        return {"key": self.key_projection(key)}

    def query_vectors(self, query):
        vectors = deferred.dense(self.query_projection, query)
        return masking.at_least_float32(vectors) * self.units**-0.5 if self.scaled else vectors

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "scaled": self.scaled,
        }
