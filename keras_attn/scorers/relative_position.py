"""A learned bias for every distance between query and key."""

import keras
from keras import ops

from keras_attn import masking
from keras_attn.scorers.position_bias import PositionBias


@keras.saving.register_keras_serializable(package="keras_attn")
class RelativePosition(PositionBias):
    """A learned bias for every distance between query and key, added to the scores of another scorer.

    ``score(q_i, h_j) = inner_score(q_i, h_j) + b[clip(j - i, -m, m)]``

    The table ``b`` (heads, 2 m + 1), a row for each head of the inner scorer, starts at 0: all
    distances of `max_distance` ``m`` and more count as one. ``i`` and ``j`` are the numbers of real
    elements before the query and before the key. It is meant for self-attention, and for a memory
    whose elements come at the pace of the queries.

    One number for each distance and head is the bias of T5, which however groups far distances by
    their logarithm; clipping is that of Shaw et al., who learn a vector for each distance.

    Args:
        scorer: What `scorers.get` takes.
        max_distance: The distance ``m``, at least 1.

    References: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
    Transformer", 2020, arXiv:1910.10683, section 2.1; Shaw, Uszkoreit, Vaswani, "Self-Attention with
    Relative Position Representations", 2018, arXiv:1803.02155, section 3.2.

    >>> scorer = RelativePosition("scaled_dot", max_distance=1)
    >>> scorer.build((None, None, 2), (None, None, 2))
    >>> _ = scorer.table.assign([[-1.0, 0.0, 0.5]])
    >>> memory, state = scorer.prepare(ops.zeros((1, 4, 2))), {"position": ops.array([[2]])}
    >>> print(ops.convert_to_numpy(scorer.score(ops.zeros((1, 1, 2)), memory, state)))
    [[[-1.  -1.   0.   0.5]]]
    """

    def __init__(self, scorer="projected_dot", max_distance=16, **kwargs):
        super().__init__(scorer, **kwargs)
        if max_distance < 1:
            raise ValueError(f"Expected a distance of at least 1. Received: max_distance={max_distance}")
        self.max_distance = max_distance

    def build(self, query_shape, key_shape):
        super().build(query_shape, key_shape)
        shape = (self.heads or 1, 2 * self.max_distance + 1)
        self.table = self.add_weight(name="table", shape=shape, initializer="zeros")

    def bias(self, query, memory, state):
        distances = self.distances(state["position"], memory)
        column = ops.clip(distances, -self.max_distance, self.max_distance) + self.max_distance
        rows, columns = self.table.shape
        start_of_row = ops.reshape(ops.arange(rows, dtype=column.dtype) * columns, (rows, 1, 1))
        return ops.take(ops.reshape(masking.at_least_float32(self.table), (-1,)), start_of_row + column)

    def get_config(self):
        return {**super().get_config(), "max_distance": self.max_distance}
