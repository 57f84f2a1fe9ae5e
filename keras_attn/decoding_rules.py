"""What a beam search asks of a hypothesis besides its probability: when it may end, and where it may look."""

import math

from keras import ops

# The least that an element of the memory counts as attended to: what sparse and hard alignments leave out costs
# something, but not everything.
COVERAGE_FLOOR = 1e-3


def forbid_end(log_probs, end_token, long_enough, threshold=None):
    """Put -inf where a hypothesis must not end.

    Args:
        log_probs: `(rows, vocabulary)`.
        end_token: The number of the end token.
        long_enough: `(rows,)` booleans, whether each hypothesis may end at all.
        threshold: The end needs a log probability above `threshold` times the largest of the other tokens; above 1
            is lenient, as log probabilities are negative. No condition, if None.

    >>> log_probs = ops.convert_to_tensor([[-2.0, -1.0, -3.0], [-1.4, -1.0, -3.0]])
    >>> print(ops.convert_to_numpy(forbid_end(log_probs, 0, ops.ones(2, "bool"), 1.5)))
    [[-inf -1.  -3. ]
     [-1.4 -1.  -3. ]]
    """
    is_end = ops.arange(ops.shape(log_probs)[1], dtype="int32") == end_token
    if threshold is not None:
        others = ops.max(ops.where(is_end, -math.inf, log_probs), axis=1)
        long_enough = ops.logical_and(long_enough, log_probs[:, end_token] > threshold * others)
    return ops.where(ops.logical_and(is_end, ops.logical_not(long_enough)[:, None]), -math.inf, log_probs)


def coverage_penalty(coverage, mask=None):
    """`sum_j log(min(coverage_j, 1))`, at most 0: the less of the memory has been attended to, the lower.

    Args:
        coverage: `(rows, Tv)`, the sum of a hypothesis' alignments; counts as 0.001 where it is less.
        mask: `(rows, Tv)` booleans, True for real elements; all are, if None.

    >>> print(ops.convert_to_numpy(coverage_penalty(ops.convert_to_tensor([[1.7, 0.5, 0.0]]))).round(3))
    [-7.601]
    """
    logs = ops.log(ops.clip(coverage, COVERAGE_FLOOR, 1.0))
    return ops.sum(logs if mask is None else ops.where(mask, logs, 0.0), axis=1)


def peak(alignment, last):
    """The element of largest weight, `(rows,)`, or that in `last` for rows without any weight."""
    # An element before the first wins if there is nothing else, and keeps the axis from being empty.
    found = ops.cast(ops.argmax(ops.pad(alignment, [[0, 0], [1, 0]]), axis=1), "int32") - 1
    return ops.where(found < 0, last, found)


def leapers(shift, limit, open_ones, beam_width):
    """The hypotheses to drop because their attention has leapt.

    Args:
        shift: `(rows,)` integers, how far the peak of each alignment has moved.
        limit: The furthest that is allowed.
        open_ones: `(rows,)` booleans, the hypotheses that are asked.
        beam_width: The number of rows of each utterance.

    Returns: `(rows,)` booleans, False for all of an utterance if nothing open would be left.

    >>> ones = ops.ones(4, "bool")
    >>> print(ops.convert_to_numpy(leapers(ops.convert_to_tensor([9, 1, 7, 8]), 5, ones, beam_width=2)))
    [ True False False False]
    """
    leapt = ops.logical_and(open_ones, ops.abs(shift) > limit)
    stays = ops.reshape(ops.logical_and(open_ones, ops.logical_not(leapt)), (-1, beam_width))
    return ops.logical_and(leapt, ops.repeat(ops.any(stays, axis=1), beam_width))
