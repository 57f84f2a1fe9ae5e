"""Recordings made worse, and how a model does with them."""

import json

import numpy as np
import pytest

from demos.speech import robustness
from demos.speech.errors import UserError
from demos.speech.robustness import CONDITIONS, heard_through
from tests.demos.speech import tone_words
from tests.demos.speech.planted import save_model

RATE = 8000
TIME = np.arange(RATE) / RATE
VOICE = 0.4 * np.sin(2 * np.pi * 1000 * TIME) * np.hanning(RATE)


def heard(name, voice=VOICE):
    audio = np.round(32767 * voice).astype("int16")
    return heard_through(CONDITIONS[name], RATE)({"audio": audio, "words": {}, "id": b"1"})["audio"]


def decibels(x):
    return 10 * np.log10(np.mean(np.square(x)))


def test_a_telephone_keeps_the_middle_alone():
    np.testing.assert_allclose(heard("telephone"), VOICE, atol=0.02)
    assert decibels(heard("telephone", VOICE + 0.4 * np.sin(2 * np.pi * 100 * TIME)) - VOICE) < decibels(VOICE) - 25


def test_stereo_is_the_same_voice_at_a_lower_level():
    np.testing.assert_allclose(heard("48 kHz stereo"), 0.65 * VOICE, atol=0.002)


def test_quiet_is_40_db_down():
    assert decibels(heard("quiet")) == pytest.approx(decibels(VOICE) - 40, abs=0.1)


def test_clipped_has_its_peaks_cut_off():
    clipped = heard("clipped")
    assert np.mean(np.abs(clipped) > 0.999) > 0.3
    inside = np.abs(clipped) < 0.99
    np.testing.assert_allclose(clipped[inside], 4 * VOICE[inside] / np.abs(VOICE).max(), atol=1e-3)


def test_a_second_of_silence_at_both_ends():
    np.testing.assert_allclose(heard("a second of silence"), np.pad(VOICE, RATE), atol=1e-4)


def test_noise_is_10_db_below_the_voice():
    assert decibels(heard("noise, 10 dB") - VOICE) == pytest.approx(decibels(VOICE) - 10, abs=0.2)


def test_nothing_said_goes_through_all():
    for name in CONDITIONS:
        assert np.isfinite(heard(name, np.zeros(RATE))).all()


@pytest.fixture
def run(tmp_path, monkeypatch):
    save_model(tmp_path)
    tone_words.install(monkeypatch)
    return tmp_path


def test_a_row_for_each_condition(run, capsys):
    robustness.print_table(robustness.measure_robustness(run))
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row[:22].strip() for row in rows] == ["as it is", *CONDITIONS]
    written = json.loads((run / "robustness.json").read_text())
    assert written["dataset"] == "tone_words" and list(written["conditions"]) == ["as it is", *CONDITIONS]
    assert {one["utterances"] for one in written["conditions"].values()} == {tone_words.SIZES["test"]}


def test_no_such_split(run):
    with pytest.raises(UserError, match="Received: split='dev'"):
        list(robustness.measure_robustness(run, "dev"))
    assert not (run / "robustness.json").exists()
