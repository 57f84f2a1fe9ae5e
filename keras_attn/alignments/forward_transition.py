"""Forward attention with a transition agent."""

import keras
from keras import ops

from keras_attn.alignments.forward import forward
from keras_attn.alignments.moving_alignment import MovingAlignment, last_place


@keras.saving.register_keras_serializable(package="keras_attn")
class ForwardTransition(MovingAlignment):
    """Forward attention that learns when to move on: its transition agent.

    ``a_j = ((1 - u) a'_j + u a'_{j-1}) exp(e_j) / sum_k ((1 - u) a'_k + u a'_{k-1}) exp(e_k)``

    ``u`` for the next query: ``1 / (1 + exp(-(w . [c; q] + b)))``

    ``e`` are the scores, and ``a'`` is the previous alignment, which starts on the first real frame.
    ``u`` is the probability to move on to the next real frame (in some implementations that letter
    is the probability to stay): 1/2 for the first query, and then made of the context ``c`` and
    the query ``q`` before; ``w`` and ``b`` are weights. Heads share it. Masked frames get weight 0;
    a query that may attend to no frame within reach gets zeros, and leaves the place to the next.

    Reference: Zhang, Ling and Dai, "Forward Attention in Sequence-to-Sequence Acoustic Modeling for
    Speech Synthesis", 2018, arXiv:1807.06736, algorithm 2. There the agent also sees the previous
    output: here it does if that is a part of the query.

    >>> forward_transition = ForwardTransition()
    >>> forward_transition.build((1, 1, 2), (1, 3, 2), (1, 1, 2))
    >>> mask = ops.array([[True, True, True, False]])
    >>> place = forward_transition.initial_alignment(mask)
    >>> state = {"place": place, "move": ops.array([0.75])}
    >>> alignment, state = forward_transition.step(ops.zeros((1, 4)), mask, place, state, None, {})
    >>> print(ops.convert_to_numpy(alignment).round(2))
    [[0.25 0.75 0.   0.  ]]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.agent = keras.layers.Dense(1, name="agent", dtype=self.dtype_policy)

    def build(self, query_shape, key_shape, context_shape):
        self.agent.build((None, context_shape[-1] + query_shape[-1]))

    def initial_state(self, memory, alignment):
        move = 0.5 * ops.ones(ops.shape(alignment)[:1], dtype=alignment.dtype)
        return {**super().initial_state(memory, alignment), "move": move}

    def step(self, scores, mask, previous, state, query, memory, training=None):
        move = ops.reshape(state["move"], (-1,) + (1,) * (len(scores.shape) - 1))
        alignment = forward(scores, mask, state["place"], 1 - move, move)
        return alignment, {**state, "place": last_place(alignment, state["place"])}

    def next_state(self, state, query, context):
        logit = self.agent(ops.concatenate([context, query[:, 0]], axis=-1))[:, 0]
        move = ops.sigmoid(ops.cast(logit, state["move"].dtype))
        # From the last frame there is nothing to move on to: some weight must stay.
        return {**state, "move": ops.clip(move, 1e-6, 1 - 1e-6)}
