"""Additive scorer that sees how far each frame is used up."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.scorers.location_scorer import LocationScorer


@keras.saving.register_keras_serializable(package="keras_attn")
class FertilityLocation(LocationScorer):
    """Additive scorer with the sum of the earlier weights of each frame, over its fertility.

    ``score(q, h_j) = v . tanh(U q + W h_j + A_j w + b)``, ``A_j = sum of the earlier a_j / n_j``

    ``1 / n_j = sigmoid(f . h_j) / 2``

    ``U``, ``W``, ``b``, ``v``, ``w`` (units) and ``f`` (key_dim) are weights, and ``a`` are the
    alignments of the earlier queries. The fertility ``n_j``, at least 2, says how much attention a
    frame has to give before it is used up; the key tells it. `Coverage` counts the attention to
    every frame alike. Before the first query, ``A`` is 0.

    Args:
        units: Size of the hidden layer.
        use_bias: Whether there is a ``b``.

    References: Tu et al., "Modeling Coverage for Neural Machine Translation", 2016,
    arXiv:1601.04811 (fertility); Zeyer et al., "Improved Training of End-to-end Attention Models for
    Speech Recognition", 2018, arXiv:1805.03294 (its inverse, for speech).

    >>> scorer = FertilityLocation(units=8)
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(ops.zeros((1, 2, 3)))
    >>> state = scorer.initial_state(memory, ops.array([[0.5, 0.5]]))
    >>> state = scorer.next_state(state, ops.array([[0.75, 0.25]]), ops.ones((1, 1, 4)), memory)
    >>> print(ops.convert_to_numpy(state["usage"]))
    [[0.1875 0.0625]]
    """

    def __init__(self, units=128, use_bias=True, **kwargs):
        super().__init__(units, use_bias, **kwargs)
        dtype = self.dtype_policy
        self.fertility = keras.layers.Dense(1, "sigmoid", use_bias=False, name="fertility", dtype=dtype)
        self.location_projection = keras.layers.Dense(units, use_bias=False, name="location_projection", dtype=dtype)

    def build(self, query_shape, key_shape):
        super().build(query_shape, key_shape)
        self.fertility.build(key_shape)
        self.location_projection.build((None, None, 1))

    def prepare(self, key, mask=None):
        inverse_fertility = masking.at_least_float32(self.fertility(key)[..., 0]) / 2
        return {**super().prepare(key, mask), "inverse_fertility": inverse_fertility}

    def initial_state(self, memory, alignment):
        return {"usage": ops.zeros_like(alignment)}

    def location(self, state):
        return self.location_projection(state["usage"][..., None])

    def next_state(self, state, alignment, query, memory):
        return {"usage": state["usage"] + alignment * memory["inverse_fertility"]}
