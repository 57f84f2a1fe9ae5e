"""Audio files of any kind, rate, number of channels and length, as mono waveforms, whole or block by block."""

import contextlib
import math
from pathlib import Path

import numpy as np
import soundfile
import soxr

from demos.speech.errors import UserError

# Seconds. A shorter recording holds no word; one that is longer is not recognised in one piece.
SHORTEST = 0.1
LONGEST = 60.0
# Float files may exceed full scale by a little (12 dB here); far beyond it, they hold integers by mistake.
HIGHEST_PEAK = 4.0
# Seconds that are read at a time.
_BLOCK = 1.0


def read_audio(path, sample_rate, start=None, end=None):
    """Read an audio file, or a part of it, of at most `LONGEST` seconds; the arguments and errors of `read_blocks`.

    Returns:
        float32 `(samples,)` in [-1, 1].

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "tone.flac")
    >>> soundfile.write(path, 0.5 * np.sin(np.arange(22050) / 8), 22050)
    >>> waveform = read_audio(path, 16000)
    >>> waveform.shape, waveform.dtype
    ((16000,), dtype('float32'))
    """
    return np.concatenate(list(read_blocks(path, sample_rate, start, end, LONGEST)))


def read_blocks(path, sample_rate, start=None, end=None, longest=math.inf):
    """Read an audio file, or a part of it, as one channel at a given rate, about a second at a time.

    Channels are averaged, another rate is brought to `sample_rate` by soxr's high-quality resampling, and what exceeds
    full scale is clipped. The blocks, joined, are what would be read in one piece.

    Args:
        path: a file that libsndfile reads: WAV, FLAC, OGG, MP3 and more.
        sample_rate: Hz, of the result.
        start, end: the part to read, in seconds; None for the start and end of the file.
        longest: seconds that may be read.

    Yields:
        float32 `(samples,)` in [-1, 1].

    Raises:
        UserError: there is no such file; it cannot be read; it is no audio; the part is none of it, is shorter than
            `SHORTEST`, shorter than the header of the file says or longer than `longest`, or holds values that are not
            finite or far from [-1, 1].
    """
    resampler = None
    for block, rate in _blocks(Path(path), start, end, longest):
        if rate != sample_rate:
            resampler = resampler or soxr.ResampleStream(rate, sample_rate, 1, dtype="float32")
            block = resampler.resample_chunk(block)
        yield np.clip(block, -1.0, 1.0)
    if resampler:
        yield np.clip(resampler.resample_chunk(np.zeros(0, "float32"), last=True), -1.0, 1.0)


def check_audio(path, start=None, end=None, longest=LONGEST):
    """Raise the UserError that `read_blocks` would raise; else, the rate of the file in Hz, and the seconds to read."""
    lengths, rates = zip(*((len(block), rate) for block, rate in _blocks(Path(path), start, end, longest)), strict=True)
    return rates[0], sum(lengths) / rates[0]


def _blocks(path, start, end, longest):
    """The averages of the channels, `(samples,)`, block by block, each with the sample rate of the file in Hz."""
    with _opened(path) as file:
        rate = file.samplerate
        first, last = _part(path, file.frames / rate, start, end)
        _check_duration(path, last - first, longest)
        file.seek(round(first * rate))
        left = round((last - first) * rate)
        while left and len(frames := file.read(min(left, math.ceil(_BLOCK * rate)), dtype="float32", always_2d=True)):
            _check_values(path, frames)
            left -= len(frames)
            yield frames.mean(axis=1), rate
        if left / rate >= SHORTEST:
            raise UserError(
                f"Expected {last - first:.1f} s of audio, as the header says. "
                f"Received: path={str(path)!r} of {last - first - left / rate:.1f} s"
            )


def _part(path, seconds, start, end):
    """The first and last second of a part of a file that lasts so many seconds."""
    first, last = start or 0.0, seconds if end is None else end
    if (start, end) != (None, None) and not 0 <= first < last <= seconds + 0.001:
        raise UserError(
            f"Expected a part of path={str(path)!r}, 0 <= start < end <= {seconds:.3f} s. "
            f"Received: start={first:g}, end={last:g}"
        )
    return first, last


@contextlib.contextmanager
def _opened(path):
    """The `soundfile.SoundFile` of `path`; whatever goes wrong while it is open becomes a UserError."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "not a regular file"
        raise UserError(f"Expected an audio file. Received: path={str(path)!r}, which is {kind}")
    try:
        with path.open("rb") as raw:
            if not path.stat().st_size:
                raise UserError(f"Expected an audio file. Received: path={str(path)!r}, which is empty (0 bytes)")
            with soundfile.SoundFile(raw) as file:
                yield file
    except OSError as error:
        problem = error.strerror or str(error)
        raise UserError(f"Expected a readable audio file. Received: path={str(path)!r}: {problem}") from error
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: a name that ends in .raw
        problem = getattr(error, "error_string", None) or str(error)
        raise UserError(
            f"Expected an audio file such as WAV, FLAC, OGG or MP3. Received: path={str(path)!r}: {problem}"
        ) from error


def _check_duration(path, seconds, longest):
    if seconds < SHORTEST:
        raise UserError(f"Expected at least {SHORTEST:g} s of audio. Received: path={str(path)!r} of {seconds:.3f} s")
    if seconds > longest:
        raise UserError(
            f"Expected at most {longest:g} s of audio; cut it into pieces of at most {longest:g} s. "
            f"Received: path={str(path)!r} of {seconds:.1f} s"
        )


def _check_values(path, frames):
    bad = np.count_nonzero(~np.isfinite(frames))
    if bad:
        raise UserError(
            f"Expected finite samples. Received: path={str(path)!r} with {bad} of {frames.size} NaN or infinite"
        )
    peak = np.abs(frames).max()
    if peak > HIGHEST_PEAK:
        raise UserError(f"Expected samples in [-1, 1]. Received: path={str(path)!r} with a peak of {peak:g}")


def to_pcm(waveform):
    """Samples in [-1, 1] as int16; what is beyond is cut off.

    >>> to_pcm(np.array([0.5, 1.0, -2.0])).tolist()
    [16384, 32767, -32768]
    """
    return np.clip(np.rint(waveform * 32768), -32768, 32767).astype(np.int16)
