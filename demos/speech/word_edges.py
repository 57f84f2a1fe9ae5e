"""Where words begin and end: from where attention has been, outwards to where it gets quiet.

Attention looks at what tells a letter from others, and that is seldom the very edge of a word.
"""

import numpy as np
from keras import ops

# A frame is quiet if it is so far below the loudest, 35 dB in natural logarithms of power, or in the lowest part of the
# range between the quietest and the loudest, as where there is noise.
QUIET = 3.5 * np.log(10)
LOWEST_PART = 0.2
# Seconds by which an edge is moved at most.
REACH = 0.2


def loudness(log_mel):
    """Logarithm of the power of each frame, `(batch, frames)`, of log-mel features `(batch, frames, bands)`."""
    return ops.logsumexp(log_mel, axis=-1)


def to_quiet(times, num_words, loudness, mask, frame_duration, offset):
    """Move the start of each word back, and its end on, to the nearest frame that is quiet.

    They move by at most `REACH`, and not beyond the quietest frame between a word and its neighbour. On the validation
    recordings of `spoken_digit` the median error of the edges fell from 66 to 7 ms, of the synthetic commands from 28
    to 10; with noise of 10 dB, from 66 to 39 and from 28 to 15.

    Args:
        times: `(batch, words, 2)`, start and end in seconds.
        num_words: int32 `(batch,)`, the words that are real.
        loudness: `(batch, frames)`, logarithms of power.
        mask: bool `(batch, frames)`.
        frame_duration: seconds from a frame to the next.
        offset: seconds at which the first frame starts.

    Returns:
        As `times`.

    >>> heard, mask = np.array([[0.0, 9.0, 9.0, 9.0, 0.0]], "float32"), np.ones((1, 5), bool)
    >>> print(to_quiet(np.array([[[0.021, 0.029]]], "float32"), [1], heard, mask, 0.01, 0.0).numpy().round(2))
    [[[0.01 0.04]]]
    """
    frames = ops.arange(ops.shape(loudness)[1], dtype="int32")
    quiet = ops.logical_or(ops.logical_not(mask), loudness < _threshold(loudness, mask))[:, None, :]
    last = ops.shape(loudness)[1] - 1
    place = ops.clip(ops.cast(ops.floor((times - offset) / frame_duration), "int32"), 0, last)
    start, end = place[..., 0], place[..., 1]
    border = _quietest_between(end, ops.roll(start, -1, axis=1), loudness, frames)
    number = ops.arange(ops.shape(start)[1], dtype="int32")
    reach = round(REACH / frame_duration)
    lowest = ops.maximum(start - reach, ops.where(number > 0, ops.roll(border, 1, axis=1), 0))
    highest = ops.minimum(end + reach, ops.where(number + 1 < ops.cast(num_words, "int32")[:, None], border - 1, last))
    before = ops.where(ops.logical_and(quiet, frames < start[..., None]), frames, -1)
    before = ops.max(before, axis=-1, initial=-1)  # `initial` for no words at all
    after = ops.where(ops.logical_and(quiet, frames > end[..., None]), frames, last + 1)
    after = ops.min(after, axis=-1, initial=last + 1)
    first_loud, last_loud = ops.maximum(before + 1, lowest), ops.minimum(after - 1, highest)
    edges = ops.cast(ops.stack([first_loud, last_loud + 1], axis=-1), times.dtype)
    moves = ops.stack([first_loud < start, last_loud > end], axis=-1)
    return ops.where(moves, offset + frame_duration * edges, times)


def _threshold(loudness, mask):
    """Below it a frame is quiet, `(batch, 1)`."""
    loudest = ops.max(ops.where(mask, loudness, -np.inf), axis=1, keepdims=True)
    quietest = ops.min(ops.where(mask, loudness, np.inf), axis=1, keepdims=True)
    return ops.maximum(loudest - QUIET, quietest + LOWEST_PART * (loudest - quietest))


def _quietest_between(place, other, loudness, frames):
    """The number of the quietest frame from the one to the other place, `(batch, words)` as these are."""
    first, last = ops.minimum(place, other)[..., None], ops.maximum(place, other)[..., None]
    between = ops.logical_and(frames >= first, frames <= last)
    return ops.cast(ops.argmin(ops.where(between, loudness[:, None, :], np.inf), axis=-1), "int32")
