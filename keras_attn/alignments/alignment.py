"""The contract of an alignment function."""

import keras

from keras_attn import masking


class Alignment(keras.layers.Layer):
    """Base class of the alignment functions.

    An alignment function turns scores into weights over the memory. For most members that is all:
    they implement `align`. One that needs the previous alignment has the attribute
    ``recurrent = True`` and is given one query at a time.

    A member that needs more than scores and the previous alignment implements `step` instead, and
    with it perhaps

    * `build(query_shape, key_shape, context_shape)`: makes every variable;
    * `prepare`: work on the keys, done once per utterance;
    * `initial_state` and `next_state`: what it remembers beside the alignment.

    As with scorers, nothing is remembered on the layer.

    The attribute ``scores`` says what the scores must be: ``"energies"`` where the sign of a score
    has a meaning (a sigmoid is even at 0), ``"log_weights"`` where they are exponentiated as they
    are, and ``"any"`` where only their differences count. The attribute ``needs_mask`` is False where
    `align` can do with None for a mask under which everything is real; ``softmax_temperature`` is a number where
    `align`, but for random numbers, is the softmax of the scores divided by it, which can then be computed without it.
    """

    recurrent = False
    scores = "any"
    needs_mask = True
    softmax_temperature = None

    def require_sense(self, scorer):
        """Raise ValueError if the scores of `scorer` are not what this function takes."""
        if self.scores == "energies" and scorer.log_weights:
            reason = "needs scores whose sign has a meaning, and logarithms of weights have none"
        elif self.scores == "log_weights" and not scorer.log_weights:
            reason = "exponentiates scores as they are: they must be logarithms of weights"
        else:
            return
        names = f"scorer={type(scorer).__name__}, alignment={type(self).__name__}"
        raise ValueError(f"{type(self).__name__} {reason}. Received: {names}")

    def build(self, query_shape, key_shape, context_shape):
        """Make every variable; there are none by default."""

    def prepare(self, key, mask=None):
        """Make the memory of its own, from what `Scorer.prepare` is given: an empty dict by default."""
        return {}

    def initial_alignment(self, mask):
        """The alignment before the first query: uniform over the real elements by default.

        Args:
            mask: ``(batch, Tv)`` booleans.

        Returns:
            ``(batch, Tv)``.
        """
        return masking.normalize(keras.ops.cast(mask, "float32"))

    def initial_state(self, memory, alignment):
        """What it remembers beside the alignment, before the first query: an empty dict by default.

        Args:
            memory: What `prepare` returned.
            alignment: ``(batch, Tv)`` or ``(batch, heads, Tv)``, the initial alignment.
        """
        return {}

    def align(self, scores, mask, previous=None, training=None):
        """Turn scores into weights.

        Args:
            scores: ``(..., Tv)`` in at least float32, 0 where masked: any leading axes when not
                recurrent, else ``(batch, Tv)`` or ``(batch, heads, Tv)``.
            mask: Booleans that broadcast to `scores`. Masked positions must get weight 0.
            previous: The previous alignment, shaped as `scores`, for a recurrent member.
            training: Whether the model is being trained (for noise and dropout).

        Returns:
            The alignment, shaped and typed as `scores`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement align(scores, mask, previous, training).")

    def step(self, scores, mask, previous, state, query, memory, training=None):
        """Turn the scores of one query into weights, for a recurrent member; by default with `align`.

        Args:
            scores, mask, previous, training: As `align` has them.
            state: What `initial_state` or `next_state` returned.
            query: ``(batch, 1, query_dim)``.
            memory: What `prepare` returned.

        Returns:
            The alignment, and the state.
        """
        return self.align(scores, mask, previous, training), state

    def next_state(self, state, query, context):
        """State after a query.

        Args:
            state: What `step` returned.
            query: ``(batch, 1, query_dim)``.
            context: ``(batch, context_dim)``.
        """
        return state
