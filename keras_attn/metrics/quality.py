"""How good an alignment is on its own, with nothing to compare it with."""

from keras import ops

from keras_attn.alignment_reductions import TINY, divide, entropy, frame_numbers, hard_links, masked, mean


def sharpness(alignment, step_mask=None, frame_mask=None):
    """How much each step looks at one frame: 1 for one-hot rows, 0 for uniform ones.

    ``mean over real steps of 1 + sum_j p_j log p_j / log n``

    where ``p`` is the row of the step, scaled to sum to 1, and ``n`` the number of real frames. With one real frame a
    step has 1. A row that is all zero has 0.

    Args:
        alignment: ``(batch, ..., steps, frames)``.
        step_mask, frame_mask: Optional, ``(batch, steps)`` and ``(batch, frames)``.

    Returns:
        ``(batch, ...)``, 0 for an utterance without real steps.

    Raises:
        ValueError: For an alignment that has not three or four axes.

    >>> print(ops.convert_to_numpy(sharpness([[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]]])))
    [1. 0.]
    """
    alignment, steps, frames = masked(alignment, step_mask, frame_mask)
    most = ops.log(ops.maximum(ops.sum(frames, axis=-1, keepdims=True), 1.0))
    some = ops.cast(ops.sum(alignment, axis=-1) > TINY, steps.dtype)
    return mean((1.0 - divide(entropy(alignment), most)) * some, steps)


def monotonicity(alignment, step_mask=None, frame_mask=None):
    """The share of steps that do not move back: 1 when the attention only moves forward.

    ``mean over i of [m_{i+1} >= m_i - 1/2]``, with ``m_i = sum_j j p_ij``

    where ``p_i`` is the row of step ``i``, scaled to sum to 1, ``m_i`` is its expected position in frames, and the mean
    is over those steps whose next is real, too. A pair with a row that is all zero counts as a move back.

    Args:
        alignment: ``(batch, ..., steps, frames)``.
        step_mask, frame_mask: Optional, ``(batch, steps)`` and ``(batch, frames)``.

    Returns:
        ``(batch, ...)``, 1 for an utterance with one real step, 0 without.

    Raises:
        ValueError: For an alignment that has not three or four axes.

    >>> straight, astray = [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    >>> print(ops.convert_to_numpy(monotonicity([straight, astray])))
    [1.  0.5]
    """
    alignment, steps, _ = masked(alignment, step_mask, frame_mask)
    mass = ops.sum(alignment, axis=-1)
    position = divide(ops.sum(alignment * frame_numbers(alignment), axis=-1), mass)
    forward = (position[..., 1:] >= position[..., :-1] - 0.5) & (mass[..., 1:] > TINY) & (mass[..., :-1] > TINY)
    pairs = steps[..., 1:] * steps[..., :-1]
    alone = ops.cast(ops.any(steps > 0, axis=-1), steps.dtype)
    return ops.where(ops.sum(pairs, axis=-1) > 0, mean(ops.cast(forward, steps.dtype), pairs), alone)


def monotonicity_violations(alignment, step_mask=None, frame_mask=None):
    """How often the peak of the attention moves back from one step to the next.

    ``sum over i of [k_{i+1} < k_i]``, with ``k_i = argmax_j a_ij``

    over those steps ``i`` that are real, as their next is. Unlike `monotonicity`, it looks at the largest weights
    alone, the first of equal ones, and a row that is all zero has none: it violates nothing.

    Args:
        alignment: ``(batch, ..., steps, frames)``.
        step_mask, frame_mask: Optional, ``(batch, steps)`` and ``(batch, frames)``.

    Returns:
        The number of violations and their share of the pairs of steps, both ``(batch, ...)``; 0 where there are no
        pairs.

    Raises:
        ValueError: For an alignment that has not three or four axes.

    >>> number, share = monotonicity_violations([[[0.0, 1.0], [0.9, 0.1], [0.4, 0.6]]])
    >>> print(ops.convert_to_numpy(number), ops.convert_to_numpy(share))
    [1.] [0.5]
    """
    alignment, steps, _ = masked(alignment, step_mask, frame_mask)
    links = ops.cast(hard_links(alignment), alignment.dtype)
    peak = ops.sum(links * frame_numbers(alignment), axis=-1)
    linked = steps * ops.sum(links, axis=-1)
    pairs = linked[..., 1:] * linked[..., :-1]
    back = ops.cast(peak[..., 1:] < peak[..., :-1], pairs.dtype)
    return ops.sum(back * pairs, axis=-1), mean(back, pairs)


def coverage(alignment, step_mask=None, frame_mask=None):
    """How evenly the frames are attended to: 1 when each gets its share, 1 / frames when one gets all.

    ``mean over real frames j of min(1, n / s * sum_i a_ij)``

    where ``a_i`` is the row of step ``i``, and ``s / n`` the share of a frame: the number of real steps over that of
    frames.

    Args:
        alignment: ``(batch, ..., steps, frames)``.
        step_mask, frame_mask: Optional, ``(batch, steps)`` and ``(batch, frames)``.

    Returns:
        ``(batch, ...)``, 0 for an utterance without real steps.

    Raises:
        ValueError: For an alignment that has not three or four axes.

    >>> print(ops.convert_to_numpy(coverage([[[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [1.0, 0.0]]])))
    [1.  0.5]
    """
    alignment, steps, frames = masked(alignment, step_mask, frame_mask)
    share = divide(ops.sum(steps, axis=-1, keepdims=True), ops.sum(frames, axis=-1, keepdims=True))
    received = divide(ops.sum(alignment, axis=-2), share)
    return mean(ops.minimum(received, 1.0), frames)
