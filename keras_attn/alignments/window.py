"""A window that moves with attention."""

import keras
from keras import ops

from keras_attn import masking, queries, registry
from keras_attn.alignments.alignment import Alignment
from keras_attn.alignments.hardmax import one_hot_of_largest


@keras.saving.register_keras_serializable(package="keras_attn")
class Window(Alignment):
    """Any alignment function, on the frames around the one that got most weight at the previous query.

    ``a = alignment(e_j for j from n - back to n + forward)``, ``n = argmax_j a'_j``

    ``e`` are the scores, and ``a'`` is the alignment of the last query that got any weight; before
    the first, ``n`` is where the inner alignment function starts, the first real frame for the
    built-in ones. Every row, and every head, has a window of its own. Masked frames do not count.
    Frames outside get weight 0; if no frame of the window may be attended to, all weights are 0
    and the window stays.

    It keeps a trained model from jumping through the memory, and it may be put into a model that
    was trained without.

    Args:
        alignment: What `alignments.get` takes: the inner alignment function.
        back: Number of frames before ``n`` that are attended to.
        forward: Number of frames after it.

    Reference: Ping et al., "Deep Voice 3: Scaling Text-to-Speech with Convolutional Sequence
    Learning", 2018, arXiv:1710.07654 (with `back` of 0).

    >>> window = Window("softmax", back=0, forward=1)
    >>> mask = ops.ones((1, 4), dtype="bool")
    >>> memory, previous = window.prepare(ops.ones((1, 4, 3)), mask), window.initial_alignment(mask)
    >>> state = window.initial_state(memory, previous)
    >>> alignment, state = window.step(ops.array([[0.0, 0.0, 9.0, 9.0]]), mask, previous, state, None, memory)
    >>> print(ops.convert_to_numpy(alignment))
    [[0.5 0.5 0.  0. ]]
    """

    recurrent = True

    def __init__(self, alignment="softmax", back=1, forward=3, **kwargs):
        super().__init__(**kwargs)
        from keras_attn import alignments  # here, as the family imports its members

        if back < 0 or forward < 0:
            raise ValueError(
                f"Expected numbers of frames that are not negative. Received: back={back}, forward={forward}"
            )
        self.alignment = alignments.get(alignment, dtype=self.dtype_policy.name)
        self.back = back
        self.forward = forward
        self.scores = self.alignment.scores

    def require_sense(self, scorer):
        self.alignment.require_sense(scorer)

    def build(self, query_shape, key_shape, context_shape):
        registry.build(self.alignment, query_shape, key_shape, context_shape)

    def prepare(self, key, mask=None):
        real = ops.ones(ops.shape(key)[:2], dtype="bool") if mask is None else mask
        return {"position": masking.positions(real), "inner": self.alignment.prepare(key, mask)}

    def initial_alignment(self, mask):
        return self.alignment.initial_alignment(mask)

    def initial_state(self, memory, alignment):
        inner = self.alignment.initial_state(memory["inner"], alignment)
        return {"centre": _position_of_peak(alignment, memory), "inner": inner}

    def step(self, scores, mask, previous, state, query, memory, training=None):
        distance = _positions(scores, memory) - state["centre"][..., None]
        mask = ops.logical_and(mask, ops.logical_and(distance >= -self.back, distance <= self.forward))
        scores = queries.spare_padding(self.alignment, scores, mask)
        alignment, inner = self.alignment.step(scores, mask, previous, state["inner"], query, memory["inner"], training)
        attended = ops.any(alignment > 0, axis=-1)
        centre = ops.where(attended, _position_of_peak(alignment, memory), state["centre"])
        return alignment, {"centre": centre, "inner": inner}

    def next_state(self, state, query, context):
        return {**state, "inner": self.alignment.next_state(state["inner"], query, context)}

    def get_config(self):
        alignment = keras.saving.serialize_keras_object(self.alignment)
        return {**super().get_config(), "alignment": alignment, "back": self.back, "forward": self.forward}


def _positions(x, memory):
    """The number of each frame, counted in real ones, that broadcasts to `x`, ``(batch, [heads,] Tv)``."""
    return memory["position"] if len(x.shape) == 2 else memory["position"][:, None]


def _position_of_peak(alignment, memory):
    """The number of the frame with the largest weight, 0 where all are 0. (An empty memory has no argmax.)"""
    largest = ops.cast(one_hot_of_largest(alignment, alignment > 0), "int32")
    return ops.sum(largest * _positions(alignment, memory), axis=-1)
