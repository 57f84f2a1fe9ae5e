"""Recognising many utterances: batches of like lengths, and results cut to what each utterance really has."""

import dataclasses
import functools
import itertools
from typing import Any

import numpy as np
import tensorflow as tf

# Utterances that are held at a time, to be sorted by length.
_HELD = 512


@dataclasses.dataclass(frozen=True)
class Transcript:
    """What was recognised in one utterance.

    Attributes:
        text: the text.
        tokens: int32 `(steps,)`, without the end.
        score: mean log probability of the tokens and the end, in nats.
        alignment: float32 `(steps, frames)`.
        frame_times: float32 `(frames,)`, middles of the frames in seconds.
    """

    text: str
    tokens: np.ndarray
    score: float
    alignment: np.ndarray
    frame_times: np.ndarray

    @property
    def frame_duration(self):
        """Seconds from a frame to the next."""
        times = self.frame_times
        return float(times[1] - times[0]) if len(times) > 1 else float(2 * times[0])


def recognise(transcribe, utterances, batch_size=32):
    """Recognise utterances, in their order.

    Args:
        transcribe: function of `waveform` `(batch, samples)` and `num_samples` `(batch,)`: `transcriber(model)`, or a
            signature of a SavedModel.
        utterances: iterable of dicts with `audio`, int16 or float `(samples,)`; what else is in them passes through.
        batch_size: utterances at a time.

    Yields:
        Pairs of utterance and `Transcript`.
    """
    utterances = iter(utterances)
    while held := list(itertools.islice(utterances, _HELD)):
        order = sorted(range(len(held)), key=lambda index: len(held[index]["audio"]))
        transcripts: list[Any] = [None] * len(held)
        for indices in _batched(order, batch_size):
            results = _recognise_batch(transcribe, [held[index]["audio"] for index in indices])
            for index, result in zip(indices, results, strict=True):
                transcripts[index] = result
        yield from zip(held, transcripts, strict=True)


def transcriber(model, beam_width=1):
    """`model.transcribe` as one graph for every shape."""
    signature = (tf.TensorSpec((None, None), "float32"), tf.TensorSpec((None,), "int32"))
    # Nothing here needs AutoGraph, which reads the source files once more.
    transcribe = functools.partial(model.transcribe, beam_width=beam_width)
    return tf.function(transcribe, signature, autograph=False)


def to_waveform(audio):
    """Samples as float32 in [-1, 1]; int16 is scaled."""
    return audio.astype("float32") / 32768 if audio.dtype == np.int16 else audio.astype("float32")


def _recognise_batch(transcribe, audios):
    lengths = np.array([len(audio) for audio in audios], "int32")
    waveform = np.zeros((len(audios), lengths.max()), "float32")
    for row, audio in zip(waveform, audios, strict=True):
        row[: len(audio)] = to_waveform(audio)
    output = transcribe(waveform=tf.constant(waveform), num_samples=tf.constant(lengths))
    output = {name: value.numpy() for name, value in output.items()}
    for index in range(len(audios)):
        steps, frames = output["num_tokens"][index], output["num_frames"][index]
        yield Transcript(
            text=output["text"][index].decode(),
            tokens=output["tokens"][index, :steps],
            score=float(output["score"][index]),
            alignment=output["alignment"][index, :steps, :frames],
            frame_times=output["frame_times"][:frames],
        )


def _batched(items, size):
    return (items[first : first + size] for first in range(0, len(items), size))
