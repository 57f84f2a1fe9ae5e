"""Attention to the elements around the position of the query."""

import math

import keras
from keras import ops

from keras_attn.scorers.position_bias import PositionBias


def window_bias(distances, half_width):
    """0 where a distance is at most `half_width`, else -1e30, which alignment functions take as a weight of 0.

    Args:
        distances: ``(...)`` real numbers.
        half_width: Number, above 0.

    >>> print(ops.convert_to_numpy(window_bias(ops.array([-2.0, 0.5, 2.5]), 2) < 0))
    [False False  True]
    """
    return ops.where(ops.abs(distances) <= half_width, ops.zeros_like(distances), ops.cast(-1e30, distances.dtype))


def require_half_width(half_width):
    """Raise ValueError unless every window with its centre inside the memory holds an element of it."""
    if not 1 <= half_width < math.inf:
        raise ValueError(f"Expected a number from 1 on. Received: half_width={half_width}")


@keras.saving.register_keras_serializable(package="keras_attn")
class LocalMonotonic(PositionBias):
    """Attention to the elements around the position of the query ("local-m").

    ``score(q_i, h_j) = inner_score(q_i, h_j)`` where ``|j - p_i| <= D``, otherwise the weight is 0;
    ``p_i = min(i, S - 1)``

    ``i`` and ``j`` are the numbers of real elements before the query and before the key, ``S`` is
    the number of real elements of the memory, and ``D`` is `half_width`. It is meant for a memory
    whose elements come at the pace of the queries; queries beyond its end attend to the end, of
    which the paper says nothing. Where an attention mask hides all of a window, the weights are
    spread over what it leaves.

    Args:
        scorer: What `scorers.get` takes.
        half_width: The number of elements ``D`` on each side, at least 1.

    Reference: Luong, Pham, Manning, "Effective Approaches to Attention-based Neural Machine
    Translation", 2015, arXiv:1508.04025, section 3.2.

    >>> scorer = LocalMonotonic("scaled_dot", half_width=1)
    >>> memory, state = scorer.prepare(ops.zeros((1, 4, 2))), {"position": ops.array([[1]])}
    >>> print(ops.convert_to_numpy(scorer.score(ops.zeros((1, 1, 2)), memory, state) > -1e30))
    [[[ True  True  True False]]]
    """

    def __init__(self, scorer="general", half_width=10, **kwargs):
        super().__init__(scorer, **kwargs)
        require_half_width(half_width)
        self.half_width = half_width

    def bias(self, query, memory, state):
        centre = ops.minimum(state["position"], memory["length"][:, None] - 1)
        return window_bias(ops.cast(self.distances(centre, memory), "float32"), self.half_width)

    def get_config(self):
        return {**super().get_config(), "half_width": self.half_width}
