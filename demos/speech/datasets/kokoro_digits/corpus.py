"""Strings of digits in the voices of Kokoro, a neural text-to-speech model; see README.md beside this file.

People's recordings are often cut short by what takes the silence away, and no two are equally loud. So those to train
on are cut in several ways, and made quieter.
"""

import csv
from pathlib import Path

import numpy as np
import tensorflow as tf

from ..digit_strings import DigitStrings, Part, pack

RECORDINGS, INDEX = (Path(__file__).with_name(name) for name in ("recordings.flac", "recordings.tsv"))
TAKES = 4  # of each digit by each speaker
HELD_OUT = {
    "validation": ("af_kore", "am_liam", "bf_lily", "bm_lewis", "em_alex", "hf_beta", "jf_nezumi", "zm_yunxi"),
    "test": ("af_nova", "am_echo", "bf_alice", "bm_fable", "ff_siwis", "hm_omega", "im_nicola", "zf_xiaoni"),
}
_CUTS = 4  # of each recording, beside the whole
_LOUD = 0.01, 0.35  # where it is cut, it is louder than a share of its peak, from this range
_QUIETER = 12.0  # dB


def strings(name):
    """The corpus: each voice is heard in one split only, and so are the blends of voices to train on."""
    clips = with_cuts(load_clips())
    held_out = {speaker for speakers in HELD_OUT.values() for speaker in speakers}
    known = tuple(speaker for speaker in clips.speakers if speaker not in held_out)
    parts = {"train": Part(2500, known, range(TAKES, TAKES * (1 + _CUTS)), quieter=_QUIETER)}
    for key, (split, speakers) in enumerate(HELD_OUT.items(), start=1):
        parts[split] = Part(250, speakers, range(TAKES), key)
    return DigitStrings(name, clips, parts)


def load_clips():
    """The recordings, as `Clips`."""
    import soundfile

    samples, _ = soundfile.read(RECORDINGS, dtype="int16")
    with open(INDEX, newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    return pack(
        {
            (row["speaker"], int(row["digit"]), int(row["take"])): samples[int(row["start"]) : int(row["end"])]
            for row in rows
        }
    )


def with_cuts(clips):
    """Clips with `_CUTS` times as many recordings after their own, each of them cut short at both ends."""
    samples, random = np.abs(clips.samples.numpy().astype(np.int32)), np.random.RandomState(0)
    starts, lengths = [clips.starts.numpy()], [clips.lengths.numpy()]
    for _ in range(_CUTS):
        cut_starts, cut_lengths = (np.empty_like(array[0]) for array in (starts, lengths))
        for place in np.ndindex(cut_starts.shape):
            start, length = starts[0][place], lengths[0][place]
            clip = samples[start : start + length]
            first, last = np.exp(random.uniform(*np.log(_LOUD), 2)) * clip.max()
            begin, end = np.flatnonzero(clip > first)[0], np.flatnonzero(clip > last)[-1] + 1
            cut_starts[place], cut_lengths[place] = start + begin, end - begin
        starts, lengths = [*starts, cut_starts], [*lengths, cut_lengths]
    return clips._replace(
        starts=tf.constant(np.concatenate(starts, axis=-1)), lengths=tf.constant(np.concatenate(lengths, axis=-1))
    )
