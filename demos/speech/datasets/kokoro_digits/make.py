"""Makes the recordings of `kokoro_digits` anew (12 minutes on two cores):

    pip install kokoro-onnx
    python -m demos.speech.datasets.kokoro_digits.make kokoro-v1.0.int8.onnx voices-v1.0.bin

Both files are among the releases of https://github.com/thewh1teagle/kokoro-onnx.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import soundfile
import soxr
import tqdm

from ...files import write_beside
from ..digit_strings import SAMPLE_RATE
from .corpus import HELD_OUT, INDEX, RECORDINGS, TAKES

_BLENDS = 60
_LOUDNESS = 0.9  # peak of each recording
_TRIMMED = 0.01  # what is quieter than this share of the peak, at either end, is no speech
_MARGIN = 0.02  # seconds of it that are kept
# Phonemes that Kokoro reads, of the digits 0 to 9.
# ruff: disable[RUF001]
_AMERICAN = "zˈɪɹO wˈʌn tˈu θɹˈi fˈɔɹ fˈIv sˈɪks sˈɛvən ˈAt nˈIn".split()
_BRITISH = "zˈɪəɹQ wˈʌn tˈuː θɹˈiː fˈɔː fˈIv sˈɪks sˈɛvən ˈAt nˈIn".split()
# ruff: enable[RUF001]
_BRITISH_SHARE = 0.25  # of the recordings of a voice that is not British
_ENDINGS, _ENDING_SHARES = [".", ",", "!", "?", ""], [0.45, 0.25, 0.1, 0.1, 0.1]
_RATES = 0.9, 2.0
_STYLES = 3, 30  # rows of a voice, meant for texts of so many phonemes


def speakers(voices, random):
    """Every voice, and blends of two of those to train on: pairs of a name and an array `(rows, 1, 256)`."""
    yield from ((name, voices[name]) for name in sorted(voices))
    known = sorted(set(voices) - {name for names in HELD_OUT.values() for name in names})
    for _ in range(_BLENDS):
        first, second = random.choice(known, 2, replace=False)
        share = random.uniform(0.3, 0.7)
        yield f"{first}+{second}+{share:.2f}", share * voices[first] + (1 - share) * voices[second]


def say(kokoro, name, voice, digit, random):
    """A digit in some accent, mood and rate, int8 `(samples,)`."""
    british = name.startswith("b") or random.uniform() < _BRITISH_SHARE
    phonemes = (_BRITISH if british else _AMERICAN)[digit] + random.choice(_ENDINGS, p=_ENDING_SHARES)
    row, rate = random.randint(*_STYLES), np.exp(random.uniform(*np.log(_RATES)))
    audio, sample_rate = kokoro.create(phonemes, voice[row : row + 1], rate, is_phonemes=True, trim=False)
    audio = soxr.resample(audio, sample_rate, SAMPLE_RATE)
    audio *= _LOUDNESS / np.abs(audio).max()
    loud, margin = np.flatnonzero(np.abs(audio) > _TRIMMED * _LOUDNESS), int(_MARGIN * SAMPLE_RATE)
    return np.round(127 * audio[max(0, loud[0] - margin) : loud[-1] + margin]).astype(np.int8)


def make(kokoro):
    """Write the recordings and their index."""
    every = list(speakers({name: kokoro.voices[name] for name in kokoro.voices}, np.random.RandomState(0)))
    samples, rows, end = [], [], 0
    for number, (name, voice) in enumerate(tqdm.tqdm(every, unit=" voices")):
        random = np.random.RandomState(number)
        for take in range(TAKES):
            for digit in range(10):
                samples.append(say(kokoro, name, voice, digit, random))
                rows.append((name, digit, take, end, end := end + len(samples[-1])))
    with write_beside(RECORDINGS) as beside:
        audio = np.concatenate(samples).astype(np.int16) * 256
        soundfile.write(beside, audio, SAMPLE_RATE, format="FLAC", subtype="PCM_S8")
    heading = ("speaker", "digit", "take", "start", "end")
    with write_beside(INDEX) as beside, open(beside, "w", newline="") as file:
        csv.writer(file, "excel-tab", lineterminator="\n").writerows([heading, *rows])


def main(argv=None):
    """Make them, with the files that the arguments name; those of the process when None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for file in ("model", "voices"):
        parser.add_argument(file, type=Path)
    options = parser.parse_args(argv)
    for path in (options.model, options.voices):
        if not path.is_file():
            parser.error(f"there is no file {path}")
    try:
        from kokoro_onnx import Kokoro
    except ImportError as error:
        parser.error(f"{error}; pip install kokoro-onnx")
    make(Kokoro(str(options.model), str(options.voices)))


if __name__ == "__main__":
    main()
