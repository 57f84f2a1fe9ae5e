"""Additive scorer that sees how much each frame has been attended to."""

import keras
from keras import ops

from keras_attn.scorers.location_scorer import LocationScorer


@keras.saving.register_keras_serializable(package="keras_attn")
class Coverage(LocationScorer):
    """Additive scorer with the sum of the earlier weights of each frame.

    ``score(q, h_j) = v . tanh(U q + W h_j + A_j w + b)``, ``A_j = sum of the earlier a_j``

    ``U``, ``W``, ``b``, ``v`` and ``w`` (units) are weights, and ``a`` are the alignments of the
    earlier queries. Before the first query, ``A`` is 0: the alignment that the alignment function
    starts from does not count.

    Use it where nothing is to be attended to twice, or left out, as in summaries and translation;
    a coverage loss teaches that directly.

    Args:
        units: Size of the hidden layer.
        use_bias: Whether there is a ``b``.

    Reference: See, Liu, Manning, "Get To The Point: Summarization with Pointer-Generator Networks",
    2017, arXiv:1704.04368, section 2.3.

    >>> scorer = Coverage(units=8)
    >>> scorer.build((None, None, 4), (None, None, 3))
    >>> memory = scorer.prepare(ops.ones((1, 2, 3)))
    >>> state = scorer.initial_state(memory, ops.array([[0.5, 0.5]]))
    >>> for alignment in ([[1.0, 0.0]], [[0.25, 0.75]]):
    ...     state = scorer.next_state(state, ops.array(alignment), ops.ones((1, 1, 4)), memory)
    >>> print(ops.convert_to_numpy(state["coverage"]))
    [[1.25 0.75]]
    """

    def __init__(self, units=128, use_bias=True, **kwargs):
        super().__init__(units, use_bias, **kwargs)
        self.location_projection = keras.layers.Dense(
            units, use_bias=False, name="location_projection", dtype=self.dtype_policy
        )

    def build(self, query_shape, key_shape):
        super().build(query_shape, key_shape)
        self.location_projection.build((None, None, 1))

    def initial_state(self, memory, alignment):
        return {"coverage": ops.zeros_like(alignment)}

    def location(self, state):
        return self.location_projection(state["coverage"][..., None])

    def next_state(self, state, alignment, query, memory):
        return {"coverage": state["coverage"] + alignment}
