"""What losses and metrics share: alignments with masks, of one head or of several, reduced over what is real."""

import math

from keras import ops

from keras_attn import masking

# A mass below it counts as none. The square of its reciprocal still fits into float32, so no gradient overflows.
TINY = 1e-18


def masked(alignment, step_mask=None, frame_mask=None):
    """Put 0 where an alignment is padding.

    Args:
        alignment: ``(batch, steps, frames)`` or ``(batch, heads, steps, frames)``.
        step_mask, frame_mask: ``(batch, steps)`` and ``(batch, frames)`` booleans; None when all is real.

    Returns:
        The alignment, and the masks of steps and of frames as numbers 0 and 1, with an axis of heads
        where the alignment has one: all in at least float32.
    """
    alignment = masking.at_least_float32(ops.convert_to_tensor(alignment))
    if len(alignment.shape) not in (3, 4):
        raise ValueError(
            "Expected an alignment (batch, steps, frames) or (batch, heads, steps, frames). "
            f"Received: shape={tuple(alignment.shape)}"
        )
    steps = _real(step_mask, alignment, axis=-1)
    frames = _real(frame_mask, alignment, axis=-2)
    alignment = ops.where(steps[..., :, None] & frames[..., None, :], alignment, ops.zeros((), alignment.dtype))
    return alignment, ops.cast(steps, alignment.dtype), ops.cast(frames, alignment.dtype)


def _real(mask, alignment, axis):
    """`mask` as booleans that fit the alignment without its `axis`."""
    if mask is None:
        return ops.ones_like(ops.sum(alignment, axis=axis), "bool")
    return for_heads(ops.cast(mask, "bool"), alignment)


def for_heads(x, alignment):
    """The same for every head: `x` with an axis of size 1 after the batch, where `alignment` has one of heads."""
    return x[:, None] if len(alignment.shape) == 4 else x


def divide(x, y):
    """``x / y``, and 0 with gradient 0 where `y` is (nearly) 0 or less."""
    some = y > TINY
    return ops.where(some, x / ops.where(some, y, ops.ones_like(y)), ops.zeros((), x.dtype))


def mean(value, real, axis=-1):
    """The mean of the values where `real` is 1, not 0; 0 where there are none."""
    return divide(ops.sum(value * real, axis=axis), ops.sum(real, axis=axis))


def entropy(alignment):
    """The entropy of each row, scaled to sum to 1, in nats; 0 for a row of zeros. Gradients are finite."""
    p = divide(alignment, ops.sum(alignment, axis=-1, keepdims=True))
    return ops.sum(p * ops.log(1.0 / ops.where(p > TINY, p, ops.ones_like(p))), axis=-1)


def hard_links(alignment):
    """Booleans of the same shape: of each row its largest weight, the first of equal ones; of a row of zeros none."""
    peak = ops.max(alignment, axis=-1, keepdims=True, initial=0)
    largest = (alignment == peak) & (alignment > TINY)
    return largest & (ops.cumsum(ops.cast(largest, "int32"), axis=-1) == 1)


def frame_numbers(alignment):
    return ops.arange(ops.shape(alignment)[-1], dtype=alignment.dtype)


def share_inside(spans, alignment, frame_duration, offset):
    """The share of each frame that lies inside each span.

    Frame ``j`` lasts from ``offset + j * frame_duration`` to ``offset + (j + 1) * frame_duration``.

    Args:
        spans: ``(batch, steps, 2)``, start and end in seconds; nothing is inside one that does not
            end after its start, such as ``(-1, -1)`` or ``(NaN, NaN)``.
        alignment: ``(batch, steps, frames)`` or ``(batch, heads, steps, frames)``, for its shape.
        frame_duration: Seconds from one frame to the next.
        offset: Seconds at which the first frame starts.

    Returns:
        As `alignment`, with a single head.
    """
    check_duration(frame_duration)
    spans = for_heads(ops.cast(ops.convert_to_tensor(spans), alignment.dtype), alignment)
    lasting = spans[..., 1:] > spans[..., :1]
    spans = ops.where(lasting, (spans - offset) / frame_duration, ops.zeros((), spans.dtype))
    frame = frame_numbers(alignment)
    inside = ops.minimum(frame + 1.0, spans[..., 1:]) - ops.maximum(frame, spans[..., :1])
    return ops.clip(inside, 0.0, 1.0)


def check_duration(frame_duration):
    if not 0 < frame_duration < math.inf:
        raise ValueError(f"Expected frame_duration in seconds, above 0. Received: frame_duration={frame_duration}")
