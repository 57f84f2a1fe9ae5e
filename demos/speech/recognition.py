"""Recognising many utterances: batches of like lengths, and results cut to what each utterance really has."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from demos.speech.decoder import Decoder
from demos.speech.decoding import DecodingConfig
from demos.speech.voice import Voice

# Utterances that are held at a time, to be sorted by length.
_HELD = 512


@dataclasses.dataclass(frozen=True)
class Word:
    """A word and when it is said, in seconds from the start of the recording.

    `confidence` is the probability that the recogniser gives to it, None where the word is known.
    """

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclasses.dataclass(frozen=True)
class Transcript:
    """What was recognised in one utterance.

    Attributes:
        text: the text.
        tokens: int32 `(steps,)`, without the end.
        score: mean log probability of the tokens and the end, in nats.
        ended: whether the text came to its end; False where it was cut at the limit of length.
        alignment: float32 `(steps, frames)`.
        frame_times: float32 `(frames,)`, middles of the frames in seconds.
        words: a tuple of `Word`.
        word_ids: int32 `(steps,)`, the number of the word that each token belongs to, -1 for none.
        n_best: a tuple of pairs of text and score, best first.
    """

    text: str
    tokens: np.ndarray
    score: float
    ended: bool
    alignment: np.ndarray
    frame_times: np.ndarray
    words: tuple[Word, ...]
    word_ids: np.ndarray
    n_best: tuple[tuple[str, float], ...]

    @property
    def frame_duration(self):
        """Seconds from a frame to the next."""
        times = self.frame_times
        return float(times[1] - times[0]) if len(times) > 1 else float(2 * times[0])


def recognise(transcribe, utterances, batch_size=32):
    """Recognise utterances, in their order.

    Args:
        transcribe: a function of `waveform` and `num_samples` like a `Decoder`: `transcriber(model)`, or a signature of
            a SavedModel.
        utterances: iterable of dicts with `audio`, int16 or float `(samples,)`, and all with a `Voice` in
            `voice`, or none; what else is in them passes through.
        batch_size: utterances at a time.

    Yields:
        Pairs of utterance and `Transcript`.
    """
    utterances = iter(utterances)
    while held := list(itertools.islice(utterances, _HELD)):
        order = sorted(range(len(held)), key=lambda index: len(held[index]["audio"]))
        transcripts: list[Any] = [None] * len(held)
        for indices in _batched(order, batch_size):
            results = _recognise_batch(transcribe, [held[index] for index in indices])
            for index, result in zip(indices, results, strict=True):
                transcripts[index] = result
        yield from zip(held, transcripts, strict=True)


def transcriber(
    model, decoding=DecodingConfig(), language_models=(), takes_phrases=False, jit_compile=False, takes_voices=False
):
    """A `Decoder` of a model, or of a list of them, as one graph for every shape and, if it takes them, any phrases."""
    decoder = Decoder(model, decoding, language_models, jit_compile)
    call = decoder.__call__
    signature: list[Any] = [tf.TensorSpec((None, None), "float32"), tf.TensorSpec((None,), "int32")]
    if takes_phrases:
        signature.append(tf.TensorSpec((None,), "string"))
    if takes_voices:
        bands = decoder.model.features_config.bands
        signature.append(Voice(tf.TensorSpec((None, bands), "float32"), tf.TensorSpec((None,), "float32")))
        if not takes_phrases:

            def call(waveform, num_samples, voices):
                return decoder(waveform, num_samples, voices=voices)

    # Nothing here needs AutoGraph, which reads the source files once more.
    return tf.function(call, signature, autograph=False)


def to_waveform(audio):
    """Samples as float32 in [-1, 1]; int16 is scaled."""
    return audio.astype("float32") / 32768 if audio.dtype == np.int16 else audio.astype("float32")


def _recognise_batch(transcribe, utterances):
    audios = [utterance["audio"] for utterance in utterances]
    voices = [utterance["voice"] for utterance in utterances if "voice" in utterance]
    lengths = np.array([len(audio) for audio in audios], "int32")
    waveform = np.zeros((len(audios), lengths.max()), "float32")
    for row, audio in zip(waveform, audios, strict=True):
        row[: len(audio)] = to_waveform(audio)
    voices = {"voices": Voice(*map(tf.stack, zip(*voices, strict=True)))} if voices else {}
    output = transcribe(waveform=tf.constant(waveform), num_samples=tf.constant(lengths), **voices)
    output = {name: value.numpy() for name, value in output.items()}
    times = output.pop("frame_times")
    return [_transcript({name: value[row] for name, value in output.items()}, times) for row in range(len(audios))]


def _transcript(output, frame_times):
    """The `Transcript` of an utterance, from its rows of what the graph returned."""
    steps, frames, words = output["num_tokens"], output["num_frames"], output["num_words"]
    alternatives = zip(output["n_best_text"], output["n_best_score"], strict=True)
    return Transcript(
        text=output["text"].decode(),
        tokens=output["tokens"][:steps],
        score=float(output["score"]),
        ended=bool(output["ended"]),
        alignment=output["alignment"][:steps, :frames],
        frame_times=frame_times[:frames],
        words=tuple(
            Word(text.decode(), float(start), float(end), float(confidence))
            for text, (start, end), confidence in zip(
                output["words"][:words], output["word_times"][:words], output["word_confidence"][:words], strict=True
            )
        ),
        word_ids=output["word_ids"][:steps],
        n_best=tuple((text.decode(), float(score)) for text, score in alternatives if score > -np.inf),
    )


def _batched(items, size):
    return (items[first : first + size] for first in range(0, len(items), size))
