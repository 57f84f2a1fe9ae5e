"""Attention around a position that the query chooses."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.scorers.additive import energy_initializer
from keras_attn.scorers.local_monotonic import require_half_width, window_bias
from keras_attn.scorers.position_bias import PositionBias


@keras.saving.register_keras_serializable(package="keras_attn")
class LocalGaussian(PositionBias):
    """Attention around a position that the query chooses, less and less with the distance ("local-p").

    ``score(q, h_j) = inner_score(q, h_j) - (j - p)^2 / (2 sigma^2)`` where ``|j - p| <= D``,
    otherwise the weight is 0; ``p = S sigmoid(v . tanh(W q))``, ``sigma = D / 2``

    ``j`` is the number of real elements before the key, ``S`` is that of the memory, ``D`` is
    `half_width`; ``W`` (units, query_dim) and ``v`` (units) are weights, the paper's ``W_p`` and
    ``v_p``. With softmax, the weights are those of the inner scorer times a Gaussian, normalised;
    the paper leaves out the last, so its weights add up to less than 1. Where an attention mask
    hides all of a window, the weights are spread over what it leaves.

    Args:
        scorer: What `scorers.get` takes.
        half_width: The number of elements ``D`` on each side, at least 1.
        units: Size of the hidden layer.

    Reference: Luong, Pham, Manning, "Effective Approaches to Attention-based Neural Machine
    Translation", 2015, arXiv:1508.04025, section 3.2, equations 9 and 10.

    >>> scorer = LocalGaussian("scaled_dot", half_width=2, units=8)
    >>> scorer.build((None, None, 2), (None, None, 2))
    >>> memory, state = scorer.prepare(ops.zeros((1, 4, 2))), {"position": ops.array([[0]])}
    >>> print(ops.convert_to_numpy(scorer.score(ops.zeros((1, 1, 2)), memory, state)))  # p is in the middle
    [[[-2.  -0.5  0.  -0.5]]]
    """

    def __init__(self, scorer="general", half_width=10, units=128, **kwargs):
        super().__init__(scorer, **kwargs)
        require_half_width(half_width)
        self.half_width = half_width
        self.units = units
        self.query_projection = keras.layers.Dense(
            units, activation="tanh", use_bias=False, name="query_projection", dtype=self.dtype_policy
        )

    def build(self, query_shape, key_shape):
        super().build(query_shape, key_shape)
        self.query_projection.build(query_shape)
        self.energy = self.add_weight(name="energy", shape=(self.units,), initializer=energy_initializer())

    def centre(self, query, memory):
        """The position ``p`` of each query, ``(batch, Tq)``, from 0 to the number of real elements."""
        hidden = masking.at_least_float32(self.query_projection(query))
        energy = ops.matmul(hidden, masking.at_least_float32(self.energy)[:, None])[..., 0]
        return ops.cast(memory["length"], energy.dtype)[:, None] * ops.sigmoid(energy)

    def bias(self, query, memory, state):
        distances = self.distances(self.centre(query, memory), memory)
        return window_bias(distances, self.half_width) - 2.0 * ops.square(distances / self.half_width)

    def get_config(self):
        return {**super().get_config(), "half_width": self.half_width, "units": self.units}
