"""The contract of a scorer."""

import keras


class Scorer(keras.layers.Layer):
    """Base class of the score functions.

    A scorer says how well each element of the memory answers a query: a real number, higher is
    better. What becomes of the numbers is the business of the alignment function.

    A member must implement `score`. It may also implement

    * `build(query_shape, key_shape)`: makes every variable, those of layers inside it too;
    * `prepare`: work on the keys that does not depend on the query, done once per utterance;
    * `initial_state` and `next_state`: what it remembers of earlier queries and alignments. A
      member that does has the attribute ``recurrent = True``.

    A member whose scores have an axis of heads says how many in its attribute ``heads``; one
    whose scores are logarithms of weights, and not energies with a meaning of their own around 0,
    has ``log_weights = True``.

    Nothing is remembered on the layer: memory and state go in and come out, as nests of tensors
    whose first axis is the batch, so that a beam search may repeat and gather them.

    Padded keys arrive as zeros, and scores at masked positions are ignored by the alignment
    function: a scorer need not look at the mask unless its equation speaks of lengths.
    """

    recurrent = False
    heads = None
    log_weights = False

    def build(self, query_shape, key_shape):
        """Make every variable; there are none by default."""

    def prepare(self, key, mask=None):
        """Make the memory.

        Args:
            key: ``(batch, Tv, key_dim)``, with zeros where masked.
            mask: ``(batch, Tv)`` booleans.

        Returns:
            A dict of batch-major tensors.
        """
        return {"key": key}

    def initial_state(self, memory, alignment):
        """State before the first query.

        Args:
            memory: What `prepare` returned.
            alignment: ``(batch, Tv)`` or ``(batch, heads, Tv)``, the alignment before the first
                query, which the alignment function chooses.

        Returns:
            A dict of batch-major tensors, empty by default. The name ``"position"`` is taken.
        """
        return {}

    def score(self, query, memory, state):
        """Score every element of the memory.

        Args:
            query: ``(batch, Tq, query_dim)``. A recurrent scorer is given ``Tq = 1``.
            memory: What `prepare` returned.
            state: Under ``"position"`` the number of real queries before each of these,
                ``(batch, Tq)``; for a recurrent scorer also what `initial_state` or `next_state`
                returned.

        Returns:
            ``(batch, Tq, Tv)`` or ``(batch, heads, Tq, Tv)``, in at least float32.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement score(query, memory, state).")

    def factors(self, query, memory):
        """Vectors whose inner products are the scores: there are none by default.

        Args:
            query, memory: As `score` has them.

        Returns:
            ``(batch, [heads,] Tq, dim)`` and ``(batch, [heads,] Tv, dim)`` in at least float32, or None.
        """
        return None

    def next_state(self, state, alignment, query, memory):
        """State after a query.

        Args:
            state: What `initial_state` or `next_state` returned.
            alignment: The alignment of the query, shaped as in `initial_state`.
            query: ``(batch, 1, query_dim)``.
            memory: What `prepare` returned.
        """
        return state


def require_equal_dims(scorer, query_shape, key_shape):
    """Raise ValueError unless query and key have the same last dimension."""
    if query_shape[-1] != key_shape[-1]:
        raise ValueError(
            f"{type(scorer).__name__} expected query_dim and key_dim to be equal ('general' and 'additive' take "
            f"different ones). Received: query_shape={tuple(query_shape)}, key_shape={tuple(key_shape)}"
        )
