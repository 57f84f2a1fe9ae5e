"""How good an alignment is against the true times of words."""

from keras import ops

from keras_attn.alignment_reductions import TINY, check_duration, divide, for_heads, masked, share_inside
from keras_attn.masking import at_least_float32, zero_padding


def word_alignment(alignment, word_ids, num_words, frame_mask=None):
    """The alignment of whole words: the rows of the tokens of each word, added and scaled to sum to 1.

    Args:
        alignment: ``(batch, ..., steps, frames)``.
        word_ids: ``(batch, steps)`` integers, which word the token of a step belongs to, -1 for none: spaces, padding.
        num_words: The number of words, an int; ids beyond it are ignored.
        frame_mask: Optional, ``(batch, frames)``.

    Returns:
        ``(batch, ..., num_words, frames)``. A word without tokens, or whose rows are all zero, gets zeros.

    Raises:
        ValueError: For an alignment that has not three or four axes.

    >>> alignment = [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]]
    >>> print(ops.convert_to_numpy(word_alignment(alignment, [[0, 0, -1, 1]], num_words=2)))
    [[[0.5 0.5 0. ]
      [0.  0.  1. ]]]
    """
    word_ids = ops.convert_to_tensor(word_ids)
    alignment, _, _ = masked(alignment, word_ids >= 0, frame_mask)
    belongs = word_ids[:, None, :] == ops.arange(num_words, dtype=word_ids.dtype)[:, None]
    words = ops.matmul(ops.cast(for_heads(belongs, alignment), alignment.dtype), alignment)
    return divide(words, ops.sum(words, axis=-1, keepdims=True))


def word_spans(alignment, frame_duration, tail=0.05, offset=0.0):
    """The start and end of each word, read off its alignment.

    They are the times between which all but `tail` of the mass on each side lies. Frame ``j`` lasts from
    ``offset + j * frame_duration`` to ``offset + (j + 1) * frame_duration``, and its mass is spread evenly over it.

    Args:
        alignment: ``(batch, ..., words, frames)``, as `word_alignment` returns it.
        frame_duration: Seconds from one frame to the next.
        tail: Share of the mass before the start, and of that after the end; at least 0, less than 0.5.
        offset: Seconds at which the first frame starts.

    Returns:
        ``(batch, ..., words, 2)``, seconds. The span of a word without mass is empty, at `offset`.

    Raises:
        ValueError: For a `tail` or a `frame_duration` out of range.

    >>> print(ops.convert_to_numpy(word_spans([[[0.0, 0.5, 0.5, 0.0]]], frame_duration=0.04, tail=0.25)).round(2))
    [[[0.06 0.1 ]]]
    """
    if not 0 <= tail < 0.5:
        raise ValueError(f"Expected tail of at least 0 and less than 0.5. Received: tail={tail}")
    check_duration(frame_duration)
    alignment = at_least_float32(ops.convert_to_tensor(alignment))
    frames = ops.cast(ops.shape(alignment)[-1], alignment.dtype)
    start = _frames_before(alignment, tail)
    end = frames - _frames_before(ops.flip(alignment, axis=-1), tail)
    some = ops.sum(alignment, axis=-1, keepdims=True) > TINY
    spans = ops.stack([start, end], axis=-1)
    return offset + frame_duration * ops.where(some, spans, ops.zeros((), spans.dtype))


def _frames_before(alignment, tail):
    """The time, in frames, at which the cumulated mass passes `tail` of the whole."""
    after = ops.cumsum(alignment, axis=-1)
    wanted = tail * after[..., -1:]
    before = ops.concatenate([ops.zeros_like(wanted), after[..., :-1]], axis=-1)
    passed = after > wanted
    first = passed & ops.logical_not(before > wanted)
    fraction = ops.where(first, divide(wanted - before, after - before), ops.zeros((), after.dtype))
    return ops.sum(ops.cast(ops.logical_not(passed), after.dtype) + fraction, axis=-1)


def boundary_error(spans, true_spans, mask=None):
    """The absolute error of the start and of the end of each word, ``|span - true span|``.

    Args:
        spans: ``(batch, ..., words, 2)``, seconds, as `word_spans` returns them.
        true_spans: ``(batch, words, 2)``, seconds.
        mask: Optional, ``(batch, words)``, which words are real.

    Returns:
        ``(batch, ..., words, 2)``, seconds; 0 for words that are not real.

    >>> print(ops.convert_to_numpy(boundary_error([[[0.25, 1.0]]], [[[0.5, 0.75]]])))
    [[[0.25 0.25]]]
    """
    spans = at_least_float32(ops.convert_to_tensor(spans))
    true_spans = for_heads(ops.cast(ops.convert_to_tensor(true_spans), spans.dtype), spans)
    if mask is not None:
        mask = for_heads(ops.cast(mask, "bool"), spans)
        spans, true_spans = zero_padding(spans, mask), zero_padding(true_spans, mask)
    return ops.abs(spans - true_spans)


def mass_inside(alignment, true_spans, frame_duration, mask=None, offset=0.0):
    """The share of the attention of each word that lies inside its true span.

    ``sum_j a_j |frame_j inside span| / frame_duration``, where the frames are as in `word_spans`: of a frame that lies
    partly inside, that part of its mass counts.

    Args:
        alignment: ``(batch, ..., words, frames)``, as `word_alignment` returns it.
        true_spans: ``(batch, words, 2)``, seconds.
        frame_duration: Seconds from one frame to the next.
        mask: Optional, ``(batch, words)``, which words are real.
        offset: Seconds at which the first frame starts.

    Returns:
        ``(batch, ..., words)``; 0 for words that are not real, have no mass, or whose span is empty.

    Raises:
        ValueError: For a `frame_duration` out of range, or an alignment that has not three or four axes.

    >>> print(ops.convert_to_numpy(mass_inside([[[0.25, 0.25, 0.5]]], [[[0.5, 2.0]]], frame_duration=1.0)))
    [[0.375]]
    """
    alignment, _, _ = masked(alignment, mask)
    return ops.sum(alignment * share_inside(true_spans, alignment, frame_duration, offset), axis=-1)
