"""A plain function as a scorer."""

import keras

from keras_attn.scorers.scorer import Scorer


@keras.saving.register_keras_serializable(package="keras_attn")
class FunctionScorer(Scorer):
    """A function of query and key as a scorer.

    ``score(q, h_j) = function(q, h)_j``

    Register the function with `keras.saving.register_keras_serializable` if the model is to be
    saved. `Attention(scorer=function)` makes this wrapper by itself.

    Args:
        function: Takes query ``(batch, Tq, query_dim)`` and key ``(batch, Tv, key_dim)``, returns
            scores ``(batch, Tq, Tv)``.

    >>> scorer = FunctionScorer(lambda query, key: query @ keras.ops.swapaxes(key, 1, 2))
    >>> tuple(scorer.score(keras.ops.ones((1, 2, 4)), {"key": keras.ops.ones((1, 3, 4))}, {}).shape)
    (1, 2, 3)
    """

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = keras.saving.deserialize_keras_object(function) if isinstance(function, dict) else function

    def score(self, query, memory, state):
        return self.function(query, memory["key"])

    def get_config(self):
        return {**super().get_config(), "function": keras.saving.serialize_keras_object(self.function)}
