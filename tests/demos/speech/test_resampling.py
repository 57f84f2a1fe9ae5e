"""resample: against sines, soxr and the identity."""

import numpy as np
import pytest
import soxr

from demos.speech.resampling import resample
from tests.demos.speech.small_model import sound

RATES = [8000, 11025, 22050, 44100, 48000, 44101]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("new_rate", [8000, 16000])
def test_a_tone_keeps_its_pitch_level_and_phase(rate, new_rate):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(1.37 * rate)) / rate)
    resampled = np.asarray(resample(tone.astype("float32"), rate, new_rate))
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(resampled)) / new_rate)
    assert len(resampled) == round(1.37 * new_rate)
    inside = slice(new_rate // 10, -new_rate // 10)
    np.testing.assert_allclose(resampled[inside], expected[inside], atol=0.5 * 10 ** (-110 / 20))


@pytest.mark.parametrize("rate", RATES)
def test_equals_soxr_on_what_is_not_at_the_end_of_the_band(rate):
    waveform = sound(0.9, rate)
    expected = soxr.resample(waveform, rate, 16000)
    resampled = np.asarray(resample(waveform, rate, 16000))
    assert len(resampled) == len(expected)
    noise = np.mean((resampled - expected) ** 2) / np.mean(expected**2)
    assert -10 * np.log10(noise) > 60


def test_what_the_lower_rate_cannot_carry_is_cut_off():
    tone = np.sin(2 * np.pi * 9000 * np.arange(48000) / 48000).astype("float32")
    assert np.abs(resample(tone, 48000, 16000)[1000:-1000]).max() < 1e-4


def test_the_end_does_not_ring_into_the_start():
    waveform = np.zeros(11025, "float32")
    waveform[-1] = 1
    assert np.abs(resample(waveform, 11025, 16000)[:8000]).max() < 1e-4


def test_equal_rates_change_nothing():
    waveform = sound(0.3)
    np.testing.assert_array_equal(resample(waveform, 8000, 8000), waveform)


@pytest.mark.parametrize("samples", [0, 1, 2, 100])
def test_short_ones(samples):
    assert resample(np.ones(samples, "float32"), 22050, 16000).shape == (round(samples * 16000 / 22050),)
