"""What scorers share that add to the scores of another one."""

import keras
from keras import ops

from keras_attn import heads, masking, registry
from keras_attn.scorers.scorer import Scorer


class PositionBias(Scorer):
    """Base class of the scorers that add to the scores of another one what depends on positions.

    ``score(q_i, h_j) = inner_score(q_i, h_j) + bias_ij``

    The position of a query or of an element of the memory is the number of real ones before it,
    so that padding moves nothing. A member implements `bias`.

    Args:
        scorer: What `scorers.get` takes. Whether this scorer is recurrent, how many heads it has,
            and whether its scores are logarithms of weights, is as with that one.
    """

    def __init__(self, scorer, **kwargs):
        super().__init__(**kwargs)
        from keras_attn import scorers  # here, as the family imports its members

        self.scorer = scorers.get(scorer, dtype=self.dtype_policy.name)
        self.recurrent = self.scorer.recurrent
        self.heads = self.scorer.heads
        self.log_weights = self.scorer.log_weights

    def build(self, query_shape, key_shape):
        registry.build(self.scorer, query_shape, key_shape)

    def prepare(self, key, mask=None):
        mask = ops.ones(ops.shape(key)[:2], dtype="bool") if mask is None else mask
        return {
            "scorer": self.scorer.prepare(key, mask),
            "position": masking.positions(mask),
            "length": ops.sum(ops.cast(mask, "int32"), axis=-1),
        }

    def initial_state(self, memory, alignment):
        return self.scorer.initial_state(memory["scorer"], alignment)

    def score(self, query, memory, state):
        scores = self.scorer.score(query, memory["scorer"], state)
        return scores + ops.cast(self.bias(query, memory, state), scores.dtype)

    def bias(self, query, memory, state):
        """What is added to the scores, broadcast to ``(batch, [heads,] Tq, Tv)``, in at least float32.

        Args:
            query, state: As `score` has them.
            memory: The positions of the elements ``(batch, Tv)`` under ``"position"``, the number of
                real ones ``(batch,)`` under ``"length"``.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement bias(query, memory, state).")

    def distances(self, position, memory):
        """How far each element of the memory lies after a position.

        Args:
            position: ``(batch, Tq)`` numbers.
            memory: As `bias` has it.

        Returns:
            ``(batch, Tq, Tv)`` in the dtype of `position`, or ``(batch, 1, Tq, Tv)`` where there are heads.
        """
        distances = ops.cast(memory["position"], position.dtype)[:, None, :] - position[:, :, None]
        return heads.of_all(distances, self.heads)

    def next_state(self, state, alignment, query, memory):
        return self.scorer.next_state(state, alignment, query, memory["scorer"])

    def get_config(self):
        return {**super().get_config(), "scorer": keras.saving.serialize_keras_object(self.scorer)}
