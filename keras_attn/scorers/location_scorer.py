"""The contract of an additive scorer with a location term."""

import keras

from keras_attn import deferred
from keras_attn.scorers.additive import energy_initializer
from keras_attn.scorers.additive_scores import additive_scores
from keras_attn.scorers.scorer import Scorer


class LocationScorer(Scorer):
    """Base class of the additive scorers that know where attention has been.

    ``score(q, h_j) = v . tanh(U q + W h_j + l_j + b)``

    This is `Additive` with one more term, the location term ``l_j``. A member must implement
    `location`, and `initial_state` and `next_state` for what it remembers of earlier alignments.

    Args:
        units: Size of the hidden layer.
        use_bias: Whether there is a ``b``.
    """

    recurrent = True

    def __init__(self, units=128, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.use_bias = use_bias
        dtype = self.dtype_policy
        self.query_projection = keras.layers.Dense(units, use_bias=use_bias, name="query_projection", dtype=dtype)
        self.key_projection = keras.layers.Dense(units, use_bias=False, name="key_projection", dtype=dtype)

    def build(self, query_shape, key_shape):
        self.query_projection.build(query_shape)
        self.key_projection.build(key_shape)
        self.energy = self.add_weight(name="energy", shape=(self.units,), initializer=energy_initializer())

    def prepare(self, key, mask=None):
        return {"key": self.key_projection(key)}

    def location(self, state):
        """The location term ``l`` of every frame.

        Args:
            state: What `initial_state` or `next_state` returned.

        Returns:
            ``(batch, Tv, units)`` or ``(batch, 1, units)``.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement location(state).")

    def score(self, query, memory, state):
        key = memory["key"] + self.location(state)
        return additive_scores(deferred.dense(self.query_projection, query), key, self.energy)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "use_bias": self.use_bias}
