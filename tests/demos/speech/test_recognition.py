"""Many utterances: in their order, cut to size, and each as if it were alone."""

import numpy as np
import pytest
import tensorflow as tf

from demos.speech import recognition
from demos.speech.recognition import Word, recognise, to_waveform
from tests.demos.speech import transcripts


def transcribe(waveform, num_samples):
    """A stand-in for a recogniser: a frame for every 10 samples; as many tokens as there are frames but one."""
    frames = num_samples.numpy() // 10
    waveform = waveform.numpy()
    steps = max(frames.max() - 1, 0)
    sizes.append(len(frames))
    return {
        "text": tf.constant([f"{row[0]:.4f} {length}" for row, length in zip(waveform, num_samples, strict=True)]),
        "tokens": tf.constant(np.tile(np.arange(steps, dtype="int32"), (len(frames), 1))),
        "num_tokens": tf.constant(np.maximum(frames - 1, 0)),
        "score": tf.constant(-waveform.mean(1)),
        "alignment": tf.ones((len(frames), steps, frames.max())),
        "frame_times": 0.02 + 0.04 * tf.range(float(frames.max())),
        "num_frames": tf.constant(frames),
        "ended": tf.constant(frames % 2 == 0),
        "words": tf.constant([["go", "on"]] * len(frames)),
        "num_words": tf.constant(frames % 3),
        "word_ids": tf.zeros((len(frames), steps), "int32"),
        "word_times": tf.tile([[[0.1, 0.2], [0.3, 0.4]]], [len(frames), 1, 1]),
        "word_confidence": tf.tile([[0.5, 0.25]], [len(frames), 1]),
        "n_best_text": tf.constant([["go", ""]] * len(frames)),
        "n_best_score": tf.constant([[-1.0, -float("inf")]] * len(frames)),
    }


sizes = []


@pytest.fixture(autouse=True)
def no_sizes():
    sizes.clear()


def utterances(lengths):
    for number, length in enumerate(lengths):
        yield {"id": number, "audio": np.full(length, number, "int16")}


@pytest.mark.parametrize("held", [512, 7])
def test_in_their_order_and_cut_to_size(monkeypatch, held):
    monkeypatch.setattr(recognition, "_HELD", held)
    lengths = np.random.default_rng(0).integers(10, 200, 20)
    pairs = list(recognise(transcribe, utterances(lengths), batch_size=4))
    assert [utterance["id"] for utterance, _ in pairs] == list(range(20))
    for (utterance, transcript), length in zip(pairs, lengths, strict=True):
        frames = length // 10
        assert transcript.text == f"{utterance['id'] / 32768:.4f} {length}"
        assert transcript.tokens.tolist() == list(range(frames - 1))
        assert transcript.ended == (frames % 2 == 0) and transcript.word_ids.shape == (frames - 1,)
        go_on = (Word("go", *np.float32([0.1, 0.2]).tolist(), 0.5), Word("on", *np.float32([0.3, 0.4]).tolist(), 0.25))
        assert transcript.words == go_on[: frames % 3] and transcript.n_best == (("go", -1.0),)
        assert transcript.alignment.shape == (frames - 1, frames) and transcript.frame_times.shape == (frames,)
    assert sum(sizes) == 20 and max(sizes) == 4


def test_nothing_to_recognise():
    assert list(recognise(transcribe, [])) == [] and sizes == []


def test_utterances_are_asked_for_as_they_are_needed(monkeypatch):
    monkeypatch.setattr(recognition, "_HELD", 3)
    asked = []
    source = (asked.append(one["id"]) or one for one in utterances([30] * 9))
    next(recognise(transcribe, source))
    assert asked == [0, 1, 2]


def test_int16_is_scaled_and_floats_are_not():
    np.testing.assert_array_equal(to_waveform(np.array([-32768, 16384], "int16")), [-1.0, 0.5])
    for dtype in ("float32", "float64"):
        audio = to_waveform(np.array([-1.0, 0.25], dtype))
        assert audio.dtype == "float32" and audio.tolist() == [-1.0, 0.25]


def transcript(frames):
    times = 0.0275 + 0.04 * np.arange(frames, dtype="float32")
    return transcripts.transcript("", np.zeros((0, frames)), times)


def test_the_duration_of_a_frame():
    assert transcript(5).frame_duration == transcript(2).frame_duration == pytest.approx(0.04)
    assert transcript(1).frame_duration == pytest.approx(0.055)  # all of what it has heard
