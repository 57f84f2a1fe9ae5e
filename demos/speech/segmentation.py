"""Cutting a recording of any length into segments in which something is said, at its pauses.

How loud a frame is, is the variance of its samples in dB. The background is what the quietest frames of the seconds
around have, so it follows a noise floor that rises and falls; what is clearly louder is taken for speech. A steady
noise or tone stands out from nothing, and is none. When in doubt it is speech: a word that is left out here is lost.
"""

import dataclasses

import numpy as np

from demos.speech.audio import read_blocks
from demos.speech.errors import UserError

# Seconds of a frame: a few periods of the lowest voices.
FRAME = 0.03
# Power of the quietest frames that are told apart, -80 dB of full scale.
_FLOOR = 1e-8
# Half of the seconds from which the background is known, and how many seconds it serves.
_AROUND, _EVERY = 15.0, 1.0
# Frames, in dB, that are added to those of every recording: one that is too short to show a background has this one.
_BACKGROUND = np.full(10, -50.0)
# Speech is louder than the background by so many dB, and by this share of the way to the loudest sounds around.
_MARGIN, _SHARE = 4.0, 0.15
# Frames over which the quietest place is looked for: longer than the closure of a "t".
_QUIET = 5


@dataclasses.dataclass(frozen=True)
class SegmentationConfig:
    """Where to cut: at every `pause`, of which a `margin` is kept on each side; no segment lasts longer than `longest`.

    All in seconds. A recogniser hears best what is like its training data, and those have little silence around.

    Raises:
        UserError: `pause` is not positive, `margin` negative or `longest` below a second.
    """

    pause: float = 0.5
    margin: float = 0.1
    longest: float = 15.0

    def __post_init__(self):
        if not (self.pause > 0 and self.margin >= 0 and self.longest >= 1):
            raise UserError(
                "Expected a pause of more than 0 s, a margin of at least 0 s and a longest segment of at least 1 s. "
                f"Received: pause={self.pause}, margin={self.margin}, longest={self.longest}"
            )


def cut_recording(path, sample_rate, config=SegmentationConfig()):
    """Cut an audio file into segments, read twice and never held whole.

    A recording that is no longer than a segment may be stays in one piece.

    Args:
        path: see `read_blocks`, also for the errors.
        sample_rate: Hz, of the waveforms.
        config: a `SegmentationConfig`.

    Yields:
        For each segment in which something is heard, its start in seconds and its waveform, float32 `(samples,)`.
    """
    size = round(FRAME * sample_rate)
    spans = find_segments(frame_levels(read_blocks(path, sample_rate), size), config)
    waveforms = cut(read_blocks(path, sample_rate), ((start * size, end * size) for start, end in spans))
    for (start, _), waveform in zip(spans, waveforms, strict=True):
        yield start * size / sample_rate, waveform


def frame_levels(blocks, size):
    """How loud each frame is, dB of full scale, float32 `(frames,)`; the last frame may be shorter than `size` samples.

    >>> frame_levels([np.ones(5), -np.ones(5), np.zeros(3)], 4).round()
    array([-80.,  -1.,  -6., -80.], dtype=float32)
    """
    levels, held = [], np.zeros(0, "float32")
    for block in blocks:
        held = np.concatenate([held, block])
        whole = len(held) // size * size
        levels.append(held[:whole].reshape(-1, size).var(axis=1))
        held = held[whole:]
    if len(held):
        levels.append(held.var(keepdims=True))
    return 10 * np.log10(np.concatenate(levels) + _FLOOR).astype("float32")


def find_segments(levels, config=SegmentationConfig()):
    """Where something is said: a list of pairs of start and end, in frames, the end excluded.

    >>> levels = np.full(1000, -60.0)
    >>> levels[300:350] = levels[365:400] = levels[700:720] = -20
    >>> find_segments(levels)
    [(297, 403), (697, 723)]
    """
    heard, limit = is_speech(levels), int(config.longest / FRAME)
    if len(levels) <= limit:
        return [(0, len(levels))] if heard.any() else []
    quiet = np.convolve(np.pad(levels, _QUIET // 2, "edge"), np.full(_QUIET, 1 / _QUIET), "valid")
    runs = _runs(heard, config.pause / FRAME, round(min(config.margin, config.pause / 2) / FRAME))
    return [part for start, end in runs for part in _parts(start, end, quiet, limit)]


def is_speech(levels):
    """Which frames are louder than the background, bool `(frames,)`.

    Args:
        levels: dB, `(frames,)`.
    """
    around, every = round(_AROUND / FRAME), round(_EVERY / FRAME)
    middles = range(every // 2, len(levels) + every // 2, every)
    windows = (np.r_[levels[max(0, middle - around) : middle + around], _BACKGROUND] for middle in middles)
    low, high = np.array([np.percentile(window, (10, 95)) for window in windows]).T.reshape(2, -1)
    threshold = np.repeat(low + np.maximum(_MARGIN, _SHARE * (high - low)), every)[: len(levels)]
    before, after = np.pad(levels, (1, 0), "edge")[:-1], np.pad(levels, (0, 1), "edge")[1:]
    # The median of three: a click is no word.
    return np.median([before, levels, after], axis=0) > threshold


def _runs(heard, pause, margin):
    """Pairs of start and end of what is heard without a pause, with a margin on each side."""
    edges = np.flatnonzero(np.diff(np.pad(heard.astype("int8"), 1)))
    starts, ends = edges[::2], edges[1::2]
    apart = starts[1:] - ends[:-1] >= pause
    starts, ends = starts[np.r_[True, apart][: len(starts)]], ends[np.r_[apart, True][: len(ends)]]
    starts, ends = np.maximum(starts - margin, 0), np.minimum(ends + margin, len(heard))
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _parts(start, end, quiet, limit):
    """A run in parts of at most `limit` frames and at least half of that, cut where it is quietest."""
    half = limit // 2
    while end - start > limit:
        middle = start + half + int(np.argmin(quiet[start + half : min(start + limit, end - half) + 1]))
        yield start, middle
        start = middle
    yield start, end


def cut(blocks, spans):
    """Cut what comes in blocks.

    Args:
        blocks: iterable of `(samples,)`.
        spans: pairs of start and end, in samples, in order and not overlapping. What lies past the blocks is left out.

    Yields:
        For each span, its samples.

    >>> [part.tolist() for part in cut(np.arange(12.0).reshape(4, 3), [(1, 2), (4, 8), (8, 20)])]
    [[1.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 10.0, 11.0]]
    """
    blocks, held, first = iter(blocks), np.zeros(0, "float32"), 0
    for start, end in spans:
        while first + len(held) < end and (block := next(blocks, None)) is not None:
            passed = min(max(start - first, 0), len(held))
            held, first = np.concatenate([held[passed:], block]), first + passed
        yield held[max(start - first, 0) : end - first]
