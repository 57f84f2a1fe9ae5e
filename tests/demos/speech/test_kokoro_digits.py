"""The digits of neural voices, and how they are made."""

import re

import numpy as np
import pytest
import tensorflow as tf

from demos.speech import corpora
from demos.speech.datasets.digit_strings import DIGITS, SAMPLE_RATE
from demos.speech.datasets.kokoro_digits import make
from demos.speech.datasets.kokoro_digits.corpus import HELD_OUT, TAKES, load_clips, with_cuts

VOICES = {
    name: np.full((510, 1, 256), number) for number, name in enumerate(["af_bella", "bm_daniel", *HELD_OUT["test"]])
}


@pytest.fixture(scope="module")
def clips():
    return load_clips()


def test_every_speaker_says_every_digit_and_no_recording_is_empty_or_long(clips):
    assert clips.lengths.shape == (len(clips.speakers), len(DIGITS), TAKES)
    seconds = clips.lengths.numpy() / SAMPLE_RATE
    assert seconds.min() > 0.15 and seconds.max() < 2
    for start, length in zip(clips.starts.numpy().ravel(), clips.lengths.numpy().ravel(), strict=True):
        assert np.abs(clips.samples[start : start + length]).max() > 0.8 * 2**15


def test_voices_of_one_split_and_blends_of_them_are_heard_in_no_other(clips):
    corpus = corpora.get("kokoro_digits")
    assert (corpus.name, corpus.sample_rate) == ("kokoro_digits", 8000)
    heard = {
        split: {part for one in corpus.utterances(split) for part in _voices(one["speaker"].numpy().decode())}
        for split in corpus.splits
    }
    assert heard["validation"] == set(HELD_OUT["validation"]) and heard["test"] == set(HELD_OUT["test"])
    assert not heard["train"] & (heard["validation"] | heard["test"]) and len(heard["train"]) > 30


def _voices(speaker):
    return re.findall(r"[a-z]{2}_[a-z]+", speaker)


def test_all_voices_speak_and_only_those_to_train_on_are_blended():
    names, voices = zip(*make.speakers(VOICES, np.random.RandomState(0)), strict=True)
    assert set(VOICES) < set(names)
    for name, voice in zip(names, voices, strict=True):
        if "+" in name:
            assert set(_voices(name)) == {"af_bella", "bm_daniel"}
            first, second, share = name.split("+")
            expected = float(share) * VOICES[first] + (1 - float(share)) * VOICES[second]
            np.testing.assert_allclose(voice, expected, atol=0.005)


class Synthesiser:
    """Says half a second of a tone, with silence around it."""

    def create(self, phonemes, voice, speed, is_phonemes, trim):
        self.asked = phonemes, voice.shape, speed
        tone = np.sin(2 * np.pi * 440 * np.arange(12_000) / 24_000).astype(np.float32)
        return np.pad(0.1 * tone, 6_000), 24_000


def test_a_recording_is_loud_and_has_no_silence_around_it():
    synthesiser = Synthesiser()
    said = make.say(synthesiser, "bm_daniel", VOICES["bm_daniel"], 4, np.random.RandomState(0))
    phonemes, shape, rate = synthesiser.asked
    assert phonemes.startswith("f") and shape == (1, 1, 256) and 0.9 <= rate <= 2
    assert said.dtype == np.int8 and np.abs(said).max() in (114, 115)
    assert len(said) / SAMPLE_RATE == pytest.approx(0.5 + 2 * 0.02, abs=0.003)


def test_recordings_to_train_on_are_cut_at_both_ends(clips):
    cut = with_cuts(clips)
    speaker, digit, takes = 3, 7, clips.starts.shape[-1]
    for number in range(cut.starts.shape[-1]):
        start, length = cut.starts[speaker, digit, number], cut.lengths[speaker, digit, number]
        whole, end = clips.starts[speaker, digit, number % takes], clips.lengths[speaker, digit, number % takes]
        assert whole <= start < start + length <= whole + end
        clip = np.abs(clips.samples[start : start + length])
        assert clip.max() == np.abs(clips.samples[whole : whole + end]).max()
        if number >= takes:
            assert min(clip[0], clip[-1]) > 0.01 * clip.max()
    shares = cut.lengths[..., takes:] / tf.tile(clips.lengths, [1, 1, cut.starts.shape[-1] // takes - 1])
    assert 0.5 < np.mean(shares) < 0.95 and np.max(shares) <= 1


def test_a_missing_file_is_told_in_a_line(capsys, tmp_path):
    with pytest.raises(SystemExit, match="2"):
        make.main([str(tmp_path / "kokoro.onnx"), "voices.bin"])
    assert capsys.readouterr().err.endswith(f"error: there is no file {tmp_path}/kokoro.onnx\n")
