"""How good an alignment is: on its own, and against the true times of words.

An alignment is `(batch, steps, frames)`, the weights of each step over the frames of the memory. Masks are boolean,
True = real: `step_mask` is `(batch, steps)` and `frame_mask` is `(batch, frames)`; None means that all is real. What
padding holds, be it NaN, changes nothing. All results are float32.
"""

import math

from keras import ops


def sharpness(alignment, step_mask=None, frame_mask=None):
    """How much each step looks at one frame: 1 for one-hot rows, 0 for uniform ones.

    `mean over real steps of 1 + sum_j p_j log p_j / log n`

    where `p` is the row of the step, scaled to sum to 1, and `n` the number of real frames. With one real frame a step
    has 1. A row that is all zero has 0.

    Args:
        alignment: `(batch, steps, frames)`.
        step_mask, frame_mask: Optional, `(batch, steps)` and `(batch, frames)`.

    Returns: `(batch,)`, 0 for an utterance without real steps.
    Raises: ValueError for an alignment that has not three axes.

    Example:

    >>> import numpy as np
    >>> np.asarray(sharpness([[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]]])).tolist()
    [1.0, 0.0]
    """
    alignment, steps, frames = _masked(alignment, step_mask, frame_mask)
    mass = ops.sum(alignment, axis=-1, keepdims=True)
    p = _divide(alignment, mass)
    negative_entropy = ops.sum(p * ops.log(ops.where(p > 0, p, 1.0)), axis=-1)
    log_frames = ops.log(ops.maximum(ops.sum(frames, axis=-1, keepdims=True), 1.0))
    value = ops.where(log_frames > 0, 1.0 + _divide(negative_entropy, log_frames), 1.0)
    return _mean(value, steps * ops.cast(mass[:, :, 0] > 0, "float32"), steps)


def monotonicity(alignment, step_mask=None, frame_mask=None):
    """The share of steps that do not move back: 1 when the attention only moves forward.

    `mean over i of [m_{i+1} >= m_i - 1/2]`, with `m_i = sum_j j p_ij`

    where `p_i` is the row of step `i`, scaled to sum to 1, `m_i` is its expected position in frames, and the mean is
    over those steps whose next is real, too. A pair with a row that is all zero counts as a move back.

    Args:
        alignment: `(batch, steps, frames)`.
        step_mask, frame_mask: Optional, `(batch, steps)` and `(batch, frames)`.

    Returns: `(batch,)`, 1 for an utterance with one real step, 0 without.
    Raises: ValueError for an alignment that has not three axes.

    Example:

    >>> import numpy as np
    >>> np.asarray(monotonicity([[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]])).tolist()
    [1.0, 0.5]
    """
    alignment, steps, _ = _masked(alignment, step_mask, frame_mask)
    mass = ops.sum(alignment, axis=-1)
    numbers = ops.arange(ops.shape(alignment)[-1], dtype="float32")
    position = _divide(ops.sum(alignment * numbers, axis=-1), mass)
    forward = (position[:, 1:] >= position[:, :-1] - 0.5) & (mass[:, 1:] > 0) & (mass[:, :-1] > 0)
    pairs = steps[:, 1:] * steps[:, :-1]
    value = _mean(1.0, ops.cast(forward, "float32") * pairs, pairs)
    alone = ops.cast(ops.any(steps > 0, axis=-1), "float32")
    return ops.where(ops.sum(pairs, axis=-1) > 0, value, alone)


def coverage(alignment, step_mask=None, frame_mask=None):
    """How evenly the frames are attended to: 1 when each gets its share, 1 / frames when one gets all.

    `mean over real frames j of min(1, n / s * sum_i a_ij)`

    where `a_i` is the row of step `i`, and `s / n` the share of a frame: the number of real steps over that of frames.

    Args:
        alignment: `(batch, steps, frames)`.
        step_mask, frame_mask: Optional, `(batch, steps)` and `(batch, frames)`.

    Returns: `(batch,)`, 0 for an utterance without real steps.
    Raises: ValueError for an alignment that has not three axes.

    Example:

    >>> import numpy as np
    >>> np.asarray(coverage([[[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [1.0, 0.0]]])).tolist()
    [1.0, 0.5]
    """
    alignment, steps, frames = _masked(alignment, step_mask, frame_mask)
    share = _divide(ops.sum(steps, axis=-1), ops.sum(frames, axis=-1))
    received = _divide(ops.sum(alignment, axis=1), ops.expand_dims(share, 1))
    return _mean(ops.minimum(received, 1.0), frames, frames)


def word_alignment(alignment, word_ids, num_words, frame_mask=None):
    """The alignment of whole words: the rows of the tokens of each word, added and scaled to sum to 1.

    Args:
        alignment: `(batch, steps, frames)`.
        word_ids: `(batch, steps)` integers, which word the token of a step belongs to, -1 for none: spaces, padding.
        num_words: The number of words, an int; ids beyond it are ignored.
        frame_mask: Optional, `(batch, frames)`.

    Returns: `(batch, num_words, frames)`. A word without tokens, or whose rows are all zero, gets zeros.
    Raises: ValueError for an alignment that has not three axes.

    Example:

    >>> import numpy as np
    >>> alignment = [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]]
    >>> np.asarray(word_alignment(alignment, [[0, 0, -1, 1]], num_words=2)).tolist()
    [[[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]]
    """
    word_ids = ops.convert_to_tensor(word_ids)
    alignment, _, _ = _masked(alignment, word_ids >= 0, frame_mask)
    belongs = ops.expand_dims(word_ids, 1) == ops.expand_dims(ops.arange(num_words, dtype=word_ids.dtype), 1)
    words = ops.matmul(ops.cast(belongs, "float32"), alignment)
    return _divide(words, ops.sum(words, axis=-1, keepdims=True))


def word_spans(alignment, frame_duration, tail=0.05, offset=0.0):
    """The start and end of each word, read off its alignment.

    They are the times between which all but `tail` of the mass on each side lies. Frame `j` lasts from
    `offset + j * frame_duration` to `offset + (j + 1) * frame_duration`, and its mass is spread evenly over it.

    Args:
        alignment: `(batch, words, frames)`, as `word_alignment` returns it.
        frame_duration: Seconds from one frame to the next.
        tail: Share of the mass before the start, and of that after the end; at least 0, less than 0.5.
        offset: Seconds at which the first frame starts.

    Returns: `(batch, words, 2)`, seconds. The span of a word without mass is empty, at `offset`.
    Raises: ValueError for a `tail` or a `frame_duration` out of range.

    Example:

    >>> import numpy as np
    >>> np.asarray(word_spans([[[0.0, 0.5, 0.5, 0.0]]], frame_duration=0.04, tail=0.25)).round(3).tolist()
    [[[0.05999999865889549, 0.10000000149011612]]]
    """
    if not 0 <= tail < 0.5:
        raise ValueError(f"Expected tail of at least 0 and less than 0.5. Received: tail={tail}")
    _check_duration(frame_duration)
    alignment = ops.cast(ops.convert_to_tensor(alignment), "float32")
    frames = ops.cast(ops.shape(alignment)[-1], "float32")
    start = _frames_before(alignment, tail)
    end = frames - _frames_before(ops.flip(alignment, axis=-1), tail)
    spans = ops.where(ops.sum(alignment, axis=-1, keepdims=True) > 0, ops.stack([start, end], axis=-1), 0.0)
    return offset + frame_duration * spans


def _frames_before(alignment, tail):
    """The time, in frames, at which the cumulated mass passes `tail` of the whole."""
    after = ops.cumsum(alignment, axis=-1)
    wanted = tail * after[..., -1:]
    before = ops.concatenate([ops.zeros_like(wanted), after[..., :-1]], axis=-1)
    passed = after > wanted
    first = passed & ops.logical_not(before > wanted)
    fraction = ops.where(first, _divide(wanted - before, after - before), 0.0)
    return ops.sum(ops.cast(ops.logical_not(passed), "float32") + fraction, axis=-1)


def boundary_error(spans, true_spans, mask=None):
    """The absolute error of the start and of the end of each word, `|span - true span|`.

    Args:
        spans: `(batch, words, 2)`, seconds, as `word_spans` returns them.
        true_spans: `(batch, words, 2)`, seconds.
        mask: Optional, `(batch, words)`, which words are real.

    Returns: `(batch, words, 2)`, seconds; 0 for words that are not real.

    Example:

    >>> import numpy as np
    >>> np.asarray(boundary_error([[[0.25, 1.0]]], [[[0.5, 0.75]]])).tolist()
    [[[0.25, 0.25]]]
    """
    error = ops.abs(_real_words(spans, mask) - _real_words(true_spans, mask))
    return ops.cast(error, "float32")


def mass_inside(alignment, true_spans, frame_duration, mask=None, offset=0.0):
    """The share of the attention of each word that lies inside its true span.

    `sum_j a_j |frame_j inside span| / frame_duration`, where the frames are as in `word_spans`: of a frame that lies
    partly inside, that part of its mass counts.

    Args:
        alignment: `(batch, words, frames)`, as `word_alignment` returns it.
        true_spans: `(batch, words, 2)`, seconds.
        frame_duration: Seconds from one frame to the next.
        mask: Optional, `(batch, words)`, which words are real.
        offset: Seconds at which the first frame starts.

    Returns: `(batch, words)`; 0 for words that are not real or have no mass.
    Raises: ValueError for a `frame_duration` out of range.

    Example:

    >>> import numpy as np
    >>> np.asarray(mass_inside([[[0.25, 0.25, 0.5]]], [[[0.5, 2.0]]], frame_duration=1.0)).tolist()
    [[0.375]]
    """
    _check_duration(frame_duration)
    spans = (_real_words(true_spans, mask) - offset) / frame_duration
    alignment = _real_words(alignment, mask)
    frame = ops.arange(ops.shape(alignment)[-1], dtype="float32")
    inside = ops.minimum(frame + 1.0, spans[..., 1:]) - ops.maximum(frame, spans[..., :1])
    return ops.sum(alignment * ops.clip(inside, 0.0, 1.0), axis=-1)


def _masked(alignment, step_mask, frame_mask):
    """Returns the alignment, zero in the padding, and both masks: all float32."""
    alignment = ops.cast(ops.convert_to_tensor(alignment), "float32")
    if len(alignment.shape) != 3:
        raise ValueError(f"Expected an alignment (batch, steps, frames). Received: shape={tuple(alignment.shape)}")
    steps = ops.ones_like(ops.sum(alignment, axis=2), "bool") if step_mask is None else ops.cast(step_mask, "bool")
    frames = ops.ones_like(ops.sum(alignment, axis=1), "bool") if frame_mask is None else ops.cast(frame_mask, "bool")
    alignment = ops.where(ops.expand_dims(steps, 2) & ops.expand_dims(frames, 1), alignment, 0.0)
    return alignment, ops.cast(steps, "float32"), ops.cast(frames, "float32")


def _real_words(x, mask):
    x = ops.cast(ops.convert_to_tensor(x), "float32")
    return x if mask is None else ops.where(ops.expand_dims(ops.cast(mask, "bool"), 2), x, 0.0)


def _mean(value, weights, counted):
    """Mean over the last axis; 0 when nothing is counted."""
    return _divide(ops.sum(value * weights, axis=-1), ops.sum(counted, axis=-1))


def _divide(x, y):
    """`x / y`, and 0 with finite gradients where `y` is 0."""
    return ops.where(y > 0, x / ops.where(y > 0, y, 1.0), 0.0)


def _check_duration(frame_duration):
    if not 0 < frame_duration < math.inf:
        raise ValueError(f"Expected frame_duration in seconds, above 0. Received: frame_duration={frame_duration}")
