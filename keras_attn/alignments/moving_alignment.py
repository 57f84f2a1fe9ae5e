"""The contract of an alignment function that moves through the memory."""

from keras import ops

from keras_attn import masking
from keras_attn.alignments.alignment import Alignment
from keras_attn.alignments.recurrences import linear_recurrence, shift


def to_the_next_frame(weights, mask):
    """Move the weight of every frame to the next real one; there is none after the last, where it is lost.

    Args:
        weights: ``(..., Tv)``.
        mask: Booleans that broadcast to it.

    >>> weights, mask = ops.array([0.5, 0.0, 0.25, 0.25]), ops.array([True, False, True, True])
    >>> print(ops.convert_to_numpy(to_the_next_frame(weights, mask)))
    [0.   0.   0.5  0.25]
    """
    # A frame that is not real passes on what it gets.
    leaving = linear_recurrence(ops.cast(ops.logical_not(mask), weights.dtype), weights)
    return ops.where(mask, shift(leaving), ops.zeros_like(weights))


def last_place(alignment, before):
    """The place from which the next query starts: `alignment`, or `before` in rows where that is all 0."""
    return ops.where(ops.any(alignment > 0, axis=-1, keepdims=True), alignment, before)


class MovingAlignment(Alignment):
    """Base class of the alignment functions that move through the memory, from its first real frame on.

    A member must implement `align`, where `previous` is the place that is moved from.

    The place is the alignment of the last query that got any weight: one that gets none, as it
    may attend to nothing, leaves the place to the next. Before the first query it is the first
    real frame.
    """

    recurrent = True

    def initial_alignment(self, mask):
        return ops.cast(masking.first(mask), "float32")

    def initial_state(self, memory, alignment):
        return {"place": alignment}

    def step(self, scores, mask, previous, state, query, memory, training=None):
        alignment = self.align(scores, mask, state["place"], training)
        return alignment, {**state, "place": last_place(alignment, state["place"])}
