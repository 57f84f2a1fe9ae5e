"""Transcripts made by hand, whose tokens are characters."""

import numpy as np

from demos.speech.recognition import Transcript, Word


def transcript(text, alignment, frame_times, score=0.0, ended=True, words=None):
    """The `Transcript` of a text; its words last from the first to the last frame that is attended to at all."""
    alignment = np.asarray(alignment, "float32").reshape(len(text), len(frame_times))
    ids, texts = np.full(len(text), -1), text.split()
    for i, character in enumerate(text):
        if character != " ":
            ids[i] = len(text[: i + 1].split()) - 1
    if words is None:
        attended = [frame_times[alignment[ids == number].any(axis=0)] for number in range(len(texts))]
        pairs = zip(texts, attended, strict=True)
        words = [Word(one, float(times.min(initial=9)), float(times.max(initial=0)), 0.5) for one, times in pairs]
    tokens = np.zeros(len(text), "int32")
    return Transcript(text, tokens, score, ended, alignment, frame_times, tuple(words), ids, ((text, score),))
