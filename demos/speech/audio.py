"""Audio files of any kind, rate and number of channels, as mono waveforms."""

import contextlib
from pathlib import Path

import numpy as np
import soundfile
import soxr

from demos.speech.errors import UserError

# Seconds. A shorter recording holds no word; a longer one wants more memory than a sentence should.
SHORTEST = 0.1
LONGEST = 60.0
# Float files may exceed full scale by a little (12 dB here); far beyond it, they hold integers by mistake.
HIGHEST_PEAK = 4.0


def read_audio(path, sample_rate):
    """Read an audio file as one channel at a given rate.

    Channels are averaged, another rate is brought to `sample_rate` by soxr's high-quality resampling, and what exceeds
    full scale is clipped.

    Args:
        path: a file that libsndfile reads: WAV, FLAC, OGG, MP3 and more.
        sample_rate: Hz, of the result.

    Returns:
        float32 `(samples,)` in [-1, 1].

    Raises:
        UserError: there is no such file; it cannot be read; it is no audio, is shorter than `SHORTEST` or longer than
            `LONGEST` seconds, or holds values that are not finite or far from [-1, 1].

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "tone.flac")
    >>> soundfile.write(path, 0.5 * np.sin(np.arange(22050) / 8), 22050)
    >>> waveform = read_audio(path, 16000)
    >>> waveform.shape, waveform.dtype
    ((16000,), dtype('float32'))
    """
    waveform, rate = _read(Path(path))
    if rate != sample_rate:
        waveform = soxr.resample(waveform, rate, sample_rate)
    return np.clip(waveform, -1.0, 1.0)


def check_audio(path):
    """Raise the UserError that `read_audio` would raise."""
    _read(Path(path))


def _read(path):
    """The average of the channels, `(samples,)`, and the sample rate of the file in Hz."""
    with _opened(path) as file:
        _check_duration(path, file.frames / file.samplerate)
        # The header may lie: decode little more than is allowed, and look again.
        frames = file.read(int((LONGEST + 1) * file.samplerate), dtype="float32", always_2d=True)
        rate = file.samplerate
    _check_duration(path, len(frames) / rate)
    _check_values(path, frames)
    return frames.mean(axis=1), rate


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


def _check_duration(path, seconds):
    if seconds < SHORTEST:
        raise UserError(f"Expected at least {SHORTEST:g} s of audio. Received: path={str(path)!r} of {seconds:.3f} s")
    if seconds > LONGEST:
        raise UserError(
            f"Expected at most {LONGEST:g} s of audio; cut it into pieces of at most {LONGEST:g} s. "
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
