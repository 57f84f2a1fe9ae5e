"""Pictures of what was recognised: the spectrogram and the alignment above each other, on one time axis."""

import re

import numpy as np

from demos.speech.features import LogMel
from demos.speech.files import write_beside
from demos.speech.recognition import to_waveform
from demos.speech.word_times import frame_grid
from keras_attn.plotting import plot_alignment

# The spectrogram: mel bands, and seconds. The window is longer than that of the recogniser: it shows the pitch better.
_BANDS = 64
_WINDOW = 0.032
_HOP = 0.010


def draw_transcript(path, waveform, sample_rate, transcript, words=None, title=None):
    """Draw the log-mel spectrogram of a recording and the alignment of what was recognised.

    Time starts with the first frame of the alignment, some milliseconds after the recording does: an encoder frame is
    around the middle of what it was computed from.

    Args:
        path: `.png` or `.svg` file; its folder is made.
        waveform: `(samples,)`, float in [-1, 1] or int16, without padding.
        sample_rate: Hz.
        transcript: a `Transcript`.
        words: optional list of `Word`, what was said when, for the boundaries and the words above.
        title: optional string.

    Raises:
        UserError: the file cannot be written.
        ValueError: the suffix is neither of the two.
    """
    grid = frame_grid(transcript)
    alignment, tokens = transcript.alignment, token_labels(transcript)
    if not tokens:  # nothing was recognised: one empty row, so that the spectrogram still has its company
        alignment, tokens = np.zeros((1, len(transcript.frame_times)), "float32"), [""]
    shifted = [(word.text, word.start - grid["offset"], word.end - grid["offset"]) for word in words or []]
    with write_beside(path) as beside:
        plot_alignment(
            alignment,
            tokens,
            frame_duration=grid["frame_duration"],
            spectrogram=(spectrogram(to_waveform(waveform), sample_rate, grid["offset"]), _HOP),
            words=shifted,
            title=title,
            path=beside,
        )


def token_labels(transcript):
    """What to write beside each token: its character; where tokens are pieces of words, the word at its first one."""
    characters, ids = list(transcript.text), list(transcript.word_ids)
    if len(characters) == len(ids):
        return characters
    return [
        transcript.words[number].text if number >= 0 and ids.index(number) == i else "" for i, number in enumerate(ids)
    ]


def spectrogram(waveform, sample_rate, start=0.0):
    """Log-mel energies `(bands, frames)` whose frame `j` has its middle at `start + (j + 1/2) hop` seconds."""
    # The middle of the first frame of `LogMel` is half a window after the first sample.
    before = round((_WINDOW / 2 - _HOP / 2 - start) * sample_rate)
    waveform = np.pad(waveform, (max(before, 0), round(_WINDOW / 2 * sample_rate)))[max(-before, 0) :]
    features, _ = LogMel(sample_rate, _BANDS, _WINDOW, _HOP)(waveform[None], np.array([len(waveform)]))
    return np.asarray(features)[0].T


def file_name(name, suffix):
    """A name for a file that any system takes.

    >>> file_name("test/00001 a", ".png")
    'test_00001_a.png'
    """
    return re.sub(r"[^\w.-]+", "_", name) + suffix
