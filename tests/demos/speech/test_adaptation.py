"""Adaptation to speakers: means over all that a speaker says, and the length of the vocal tract that suits best."""

import numpy as np
import pytest

from demos.speech.adaptation import FREQUENCY_WARPS, find_voices
from demos.speech.decoding import DecodingConfig
from demos.speech.normalization import LOUD
from demos.speech.recognition import recognise, transcriber
from demos.speech.voice import Voice
from tests.demos.speech.small_model import make, sound

SPOKEN = [
    {"audio": sound(seconds, seed=seed), "speaker": speaker}
    for seed, (seconds, speaker) in enumerate([(0.9, b"ann"), (0.4, b"bob"), (0.5, b"ann"), (0.7, b""), (0.3, b"")])
]


@pytest.fixture(scope="module")
def model():
    return make()


@pytest.fixture(scope="module")
def transcribe(model):
    return transcriber(model, DecodingConfig(beam_width=1, max_length_ratio=0.3), takes_voices=True)


@pytest.fixture(scope="module")
def voices(model, transcribe):
    return find_voices(model, transcribe, SPOKEN)


def loud_features(model, audio):
    log_mel = np.asarray(model.hear(audio[None], np.array([len(audio)]))[0])[0]
    return log_mel[log_mel.max(axis=1) >= log_mel.max() - LOUD]


def test_the_mean_is_that_of_all_loud_frames_of_the_speaker(model, voices):
    for speakers in ([0, 2], [1], [3], [4]):
        mean = np.concatenate([loud_features(model, SPOKEN[index]["audio"]) for index in speakers]).mean(axis=0)
        for index in speakers:
            np.testing.assert_allclose(voices[index].mean, mean, atol=1e-4)


def test_each_speaker_has_the_length_that_the_recogniser_is_surest_with(transcribe, voices):
    def total(indices, warp):
        told = [{**SPOKEN[index], "voice": Voice(voices[index].mean, np.float32(warp))} for index in indices]
        # One at a time: nothing depends on what else is recognised.
        found = [transcript for one in told for _, transcript in recognise(transcribe, [one])]
        return sum(transcript.score * (len(transcript.tokens) + 1) for transcript in found)

    chosen = set()
    for speakers in ([0, 2], [1], [3], [4]):
        totals = [total(speakers, warp) for warp in FREQUENCY_WARPS]
        for index in speakers:
            assert voices[index].frequency_warp == np.float32(FREQUENCY_WARPS[np.argmax(totals)])
        chosen.add(float(voices[speakers[0]].frequency_warp))
    assert len(chosen) > 1


def test_a_voice_that_says_nothing_new_changes_nothing(model, transcribe):
    """One utterance has its own mean, and needs no other length."""
    audio = SPOKEN[0]["audio"]
    voice = Voice(loud_features(model, audio).mean(axis=0), np.float32(1.0))
    ((_, plain),) = recognise(transcriber(model, DecodingConfig(beam_width=1, max_length_ratio=0.3)), [SPOKEN[0]])
    ((_, told),) = recognise(transcribe, [{**SPOKEN[0], "voice": voice}])
    assert told.text == plain.text and told.score == pytest.approx(plain.score, rel=1e-3)


def test_where_no_mean_is_taken_away_none_is_found(transcribe):
    model = make()
    model.features_config = type(model.features_config)(sample_rate=8000, bands=16, subtract_mean=False)
    assert not any(voice.mean.any() for voice in find_voices(model, transcribe, SPOKEN[:2]))


def test_no_utterances(model, transcribe):
    assert find_voices(model, transcribe, []) == []


def test_voices_and_phrases_go_together(model):
    both = transcriber(model, DecodingConfig(beam_width=2, max_length_ratio=0.3), takes_phrases=True, takes_voices=True)
    voice = Voice(np.zeros(16, "float32"), np.float32(1.0))
    audio = SPOKEN[1]["audio"]
    given = {"waveform": audio[None], "num_samples": np.array([len(audio)], "int32"), "phrases": np.array(["abc"])}
    assert both(**given, voices=Voice(voice.mean[None], voice.frequency_warp[None]))["text"].shape == (1,)
