"""Scores that fall with the distance between query and key."""

import math

import keras
from keras import ops

from keras_attn import masking
from keras_attn.scorers.position_bias import PositionBias


@keras.saving.register_keras_serializable(package="keras_attn")
class ALiBi(PositionBias):
    """Scores of another scorer that fall with the distance between query and key: attention with linear biases.

    ``score(q_i, h_j)_k = inner_score(q_i, h_j)_k - slope_k |i - j|``, ``slope_k = 2 ** (-8 k / heads)``

    ``k = 1 ... heads`` are the heads of the inner scorer. ``i`` and ``j`` are the numbers of real
    elements before the query and before the key; the paper has ``j <= i``. Nothing is learned, so
    sequences may be longer than those of the training. It is meant for self-attention, and for a
    memory whose elements come at the pace of the queries.

    Args:
        scorer: What `scorers.get` takes.
        slope: A number for every head instead, at least 0.

    Reference: Press, Smith, Lewis, "Train Short, Test Long: Attention with Linear Biases Enables
    Input Length Extrapolation", 2022, arXiv:2108.12409, section 3.

    >>> scorer = ALiBi("scaled_dot", slope=0.5)
    >>> memory, state = scorer.prepare(ops.zeros((1, 4, 2))), {"position": ops.array([[2]])}
    >>> print(ops.convert_to_numpy(scorer.score(ops.zeros((1, 1, 2)), memory, state)))
    [[[-1.  -0.5  0.  -0.5]]]
    """

    def __init__(self, scorer="projected_dot", slope=None, **kwargs):
        super().__init__(scorer, **kwargs)
        if slope is not None and not 0 <= slope < math.inf:
            raise ValueError(f"Expected a number from 0 on, or None. Received: slope={slope}")
        self.slope = slope

    def bias(self, query, memory, state):
        dtype = masking.accumulation_dtype(self.compute_dtype)
        heads = self.heads or 1
        slopes = [2 ** (-8 * k / heads) if self.slope is None else self.slope for k in range(1, heads + 1)]
        distances = ops.cast(ops.abs(self.distances(state["position"], memory)), dtype)
        return -ops.reshape(ops.convert_to_tensor(slopes, dtype=dtype), (heads, 1, 1)) * distances

    def get_config(self):
        return {**super().get_config(), "slope": self.slope}
