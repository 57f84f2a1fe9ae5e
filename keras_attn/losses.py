"""Losses on alignments, added to the loss of a model to guide its attention.

An alignment is ``(batch, steps, frames)`` or, with heads, ``(batch, heads, steps, frames)``: the
weights of each step (query) over the frames of the memory. Masks are booleans, True = real:
`step_mask` is ``(batch, steps)``, `frame_mask` is ``(batch, frames)``, and None means that all is
real. What padding holds, be it NaN, changes nothing, and neither does the amount of it.

Every loss is one number per utterance, ``(batch,)``, or ``(batch, heads)`` when the alignment has
heads, in at least float32: 0 for an utterance in which nothing is real. Take the mean for a scalar.

A layer that adds such a loss to that of its model, which Keras minimises and saves as any other:

>>> import keras
>>> from keras_attn import Attention
>>> class GuidedAttention(keras.layers.Layer):
...     def __init__(self, weight=1.0, **kwargs):
...         super().__init__(**kwargs)
...         self.supports_masking = True
...         self.weight = weight
...         self.attention = Attention(dtype=self.dtype_policy)
...
...     def build(self, query_shape, value_shape):
...         self.attention.build(query_shape, value_shape)
...
...     def call(self, query, value, query_mask=None, value_mask=None):
...         context, alignment = self.attention(
...             query, value, query_mask=query_mask, value_mask=value_mask, return_attention_scores=True
...         )
...         loss = guided_attention_loss(alignment, query_mask, value_mask)
...         self.add_loss(self.weight * keras.ops.mean(loss))
...         return context
...
...     def get_config(self):
...         return {**super().get_config(), "weight": self.weight}
>>> query, value = keras.Input((None, 8)), keras.Input((None, 8))
>>> model = keras.Model([query, value], GuidedAttention()(query, value))
>>> context = model([keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 9, 8))])
>>> len(model.losses)
1
"""

import math

from keras import ops

from keras_attn.alignment_reductions import TINY, divide, entropy, masked, mean, share_inside


def guided_attention_loss(alignment, step_mask=None, frame_mask=None, sigma=0.4):
    """The guided attention loss: weights cost the more, the farther they are from the diagonal.

    ``mean over real i, j of a_ij W_ij``, ``W_ij = 1 - exp(-(i / N - j / T)^2 / (2 sigma^2))``

    ``i`` and ``j`` number the real steps and frames of an utterance from 0, and ``N`` and ``T``
    are how many it has: its own, not those of the longest in the batch.

    Args:
        alignment: ``(batch, steps, frames)`` or ``(batch, heads, steps, frames)``.
        step_mask, frame_mask: ``(batch, steps)`` and ``(batch, frames)`` booleans; None when all is real.
        sigma: How wide the diagonal is, as a share of the utterance. Positive. (The paper calls
            it ``g`` and sets it to 0.2.)

    Returns:
        ``(batch,)`` or ``(batch, heads)``.

    Raises:
        ValueError: For a `sigma` that is not positive, or an alignment with other axes.

    >>> diagonal, corner = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]
    >>> print(ops.convert_to_numpy(guided_attention_loss([diagonal, corner], sigma=0.5)).round(3))
    [0.    0.197]

    Tachibana, Uenoyama, Aihara 2018 (arXiv:1710.08969).
    """
    if not 0 < sigma < math.inf:
        raise ValueError(f"Expected a positive number. Received: sigma={sigma}")
    alignment, steps, frames = masked(alignment, step_mask, frame_mask)
    distance = _relative_positions(steps)[..., :, None] - _relative_positions(frames)[..., None, :]
    cost = -ops.expm1(-ops.square(distance / sigma) / 2)
    return mean(alignment * cost, steps[..., :, None] * frames[..., None, :], axis=(-2, -1))


def _relative_positions(real):
    """Of each real position, the share of the real ones that come before it."""
    return divide(ops.cumsum(real, axis=-1) - 1, ops.sum(real, axis=-1, keepdims=True))


def coverage_loss(alignment, step_mask=None, frame_mask=None):
    """The coverage loss: attending again to what earlier steps attended to.

    ``mean over real i of sum_j min(a_ij, A_ij)``, ``A_ij = sum_{k < i} a_kj``

    It is 0 when no frame is attended to twice. ``A`` is the coverage of the earlier steps, ``c``
    in the paper. Gradients flow into both.

    Args:
        alignment: ``(batch, steps, frames)`` or ``(batch, heads, steps, frames)``.
        step_mask, frame_mask: ``(batch, steps)`` and ``(batch, frames)`` booleans; None when all is real.

    Returns:
        ``(batch,)`` or ``(batch, heads)``.

    Raises:
        ValueError: For an alignment with other axes.

    >>> forward, stuck = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]
    >>> print(ops.convert_to_numpy(coverage_loss([forward, stuck])))
    [0.  0.5]

    See, Liu, Manning 2017 (arXiv:1704.04368).
    """
    alignment, steps, _ = masked(alignment, step_mask, frame_mask)
    later = ops.cumsum(alignment, axis=-2)[..., :-1, :]
    earlier = ops.concatenate([ops.zeros_like(alignment[..., :1, :]), later], axis=-2)
    return mean(ops.sum(ops.minimum(alignment, earlier), axis=-1), steps)


def quantity_loss(alignment, step_mask=None, frame_mask=None):
    """The quantity loss: the weights of an utterance should add up to the number of its steps.

    ``|N - sum_ij a_ij|``

    For monotonic attention, whose rows may add up to less than 1. ``N`` is the number of real
    steps; the unit is that of a step, a token.

    Args:
        alignment: ``(batch, steps, frames)`` or ``(batch, heads, steps, frames)``.
        step_mask, frame_mask: ``(batch, steps)`` and ``(batch, frames)`` booleans; None when all is real.

    Returns:
        ``(batch,)`` or ``(batch, heads)``.

    Raises:
        ValueError: For an alignment with other axes.

    >>> print(ops.convert_to_numpy(quantity_loss([[[1.0, 0.0], [0.25, 0.0]]])))
    [0.75]

    As in Inaguma, Kawahara 2021 (arXiv:2107.00635).
    """
    alignment, steps, _ = masked(alignment, step_mask, frame_mask)
    return ops.abs(ops.sum(steps, axis=-1) - ops.sum(alignment, axis=(-2, -1)))


def attention_entropy(alignment, step_mask=None, frame_mask=None):
    """The entropy of the attention in nats: 0 when each step looks at one frame, ``log T`` when at all alike.

    ``mean over real i of -sum_j p_ij log p_ij``

    ``p_i`` is the row of step ``i``, scaled to sum to 1, and ``0 log 0 = 0``; a row of zeros has entropy 0.

    Args:
        alignment: ``(batch, steps, frames)`` or ``(batch, heads, steps, frames)``.
        step_mask, frame_mask: ``(batch, steps)`` and ``(batch, frames)`` booleans; None when all is real.

    Returns:
        ``(batch,)`` or ``(batch, heads)``.

    Raises:
        ValueError: For an alignment with other axes.

    >>> print(ops.convert_to_numpy(attention_entropy([[[1.0, 0.0]], [[0.5, 0.5]]])).round(4))
    [0.     0.6931]
    """
    alignment, steps, _ = masked(alignment, step_mask, frame_mask)
    return mean(entropy(alignment), steps)


def true_alignment_loss(alignment, true_spans, frame_duration, step_mask=None, frame_mask=None, offset=0.0):
    """Guide by true times: the attention of each step should lie inside the time in which it was said.

    ``mean over known i of -log m_i``, ``m_i = sum_j a_ij |frame_j inside span_i| / frame_duration``

    Frame ``j`` lasts from ``offset + j * frame_duration`` to ``offset + (j + 1) * frame_duration``;
    of a frame that lies partly inside the span, that part of its weight counts. So ``m`` is what
    `keras_attn.metrics.mass_inside` measures. Where in the span the weights lie is left to the
    model. A mass below 1e-18 counts as 1e-18, so one step costs at most 41.4.

    A step is known when it is real and its span shares some time with a real frame. Give others
    any empty span, such as ``(-1, -1)``.

    Args:
        alignment: ``(batch, steps, frames)`` or ``(batch, heads, steps, frames)``.
        true_spans: ``(batch, steps, 2)``, start and end of each step in seconds.
        frame_duration: Seconds from one frame to the next.
        step_mask, frame_mask: ``(batch, steps)`` and ``(batch, frames)`` booleans; None when all is real.
        offset: Seconds at which the first frame starts.

    Returns:
        ``(batch,)`` or ``(batch, heads)``.

    Raises:
        ValueError: For a `frame_duration` that is not positive, or an alignment with other axes.

    >>> alignment, spans = [[[0.5, 0.5, 0.0], [0.0, 0.2, 0.8]]], [[[0.0, 0.1], [-1.0, -1.0]]]
    >>> print(ops.convert_to_numpy(true_alignment_loss(alignment, spans, frame_duration=0.1)).round(4))
    [0.6931]
    """
    alignment, steps, frames = masked(alignment, step_mask, frame_mask)
    inside = share_inside(true_spans, alignment, frame_duration, offset) * frames[..., None, :]
    known = steps * ops.cast(ops.any(inside > 0, axis=-1), steps.dtype)
    return mean(-ops.log(ops.maximum(ops.sum(alignment * inside, axis=-1), TINY)), known)
