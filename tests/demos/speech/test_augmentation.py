"""augment_waveform changes speed, noise and level by known amounts."""

import numpy as np
import pytest
import tensorflow as tf

from demos.speech.augmentation import WaveformAugmentation, augment_waveform, cut_words, vary_edges

NEUTRAL = {"speed": (1.0, 1.0), "snr_db": (200.0, 200.0), "noise_slope": (0.0, 0.0), "gain_db": (0.0, 0.0)}


def augment(audio, seed=(1, 2), **options):
    audio, factor = augment_waveform(tf.constant(audio), tf.constant(seed), WaveformAugmentation(**NEUTRAL | options))
    return audio.numpy(), float(factor)


def tone(seconds=1.0, frequency=440.0, level=0.5):
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * 16000)) / 16000)).astype("float32")


@pytest.mark.parametrize("samples", [0, 1, 1599, 16000, 16001])
def test_neutral_options_change_nothing(samples):
    audio = np.random.default_rng(0).uniform(-0.9, 0.9, samples).astype("float32")
    out, factor = augment(audio)
    assert factor == 1.0
    np.testing.assert_allclose(out, audio, atol=1e-6)


@pytest.mark.parametrize("speed", [0.9, 1.0, 1.07, 1.1])
def test_speed_moves_frequency_and_times(speed):
    click = np.concatenate([np.zeros(8000, "float32"), tone(0.5)])  # silence, then a tone from 0.5 s
    out, factor = augment(click, speed=(speed, speed))
    assert 0.98 * speed <= factor <= speed + 1e-6
    assert len(out) == round(16000 / factor)
    onset = np.flatnonzero(np.abs(out) > 0.1)[0] / 16000
    assert onset == pytest.approx(0.5 / factor, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(out[-6000:] * np.hanning(6000), 160000))
    assert spectrum.argmax() / 10 == pytest.approx(440 * factor, abs=0.5)


def test_faster_speech_does_not_alias():
    out, factor = augment(tone(frequency=7900.0), speed=(1.1, 1.1))
    assert factor > 1.07  # the tone would be beyond half of the sample rate
    assert np.abs(out[800:-800]).max() < 0.01


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_noise_has_the_drawn_power_and_slope(slope):
    audio = tone(4.0)
    out, _ = augment(audio, snr_db=(20.0, 20.0), noise_slope=(slope, slope))
    noise = out - audio
    assert 10 * np.log10(np.mean(audio**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [power[4 * f : 8 * f].mean() for f in (200, 400, 800, 1600)]
    np.testing.assert_allclose(np.diff(np.log2(octaves)), -slope, atol=0.05)
    assert abs(np.mean(noise**4) / np.mean(noise**2) ** 2 - 3) < 0.2  # as of a normal distribution


def test_gated_noise_is_where_the_sound_is():
    audio = np.concatenate([np.zeros(8000, "float32"), tone(0.5), np.zeros(8000, "float32")])
    out, _ = augment(audio, snr_db=(20.0, 20.0), noise_gate=(0.01, 0.01))
    noise = out - audio
    assert max(np.abs(noise[:7600]).max(), np.abs(noise[-7600:]).max()) < 1e-6
    assert np.std(noise[8000:16000]) == pytest.approx(np.sqrt(np.mean(audio**2) / 100), rel=0.05)
    everywhere, _ = augment(audio, snr_db=(20.0, 20.0), noise_gate=(-0.01, -0.01))
    assert np.std((everywhere - audio)[:7600]) > 0.01


def test_gain_and_full_scale():
    audio = tone()
    np.testing.assert_allclose(augment(audio, gain_db=(-20.0, -20.0))[0], audio / 10, atol=1e-6)
    np.testing.assert_allclose(augment(audio, gain_db=(20.0, 20.0))[0], audio * 2, atol=1e-4)


def test_a_band_is_left():
    audio = tone(frequency=100.0) + tone(frequency=1000.0) + tone(frequency=3700.0)
    out, _ = augment(audio / 3, low_cut=(0.05, 0.05), high_cut=(0.4, 0.4))
    np.testing.assert_allclose(out, tone(frequency=1000.0) / 3, atol=0.02)


def test_clipping_is_a_share_of_the_peak():
    out, _ = augment(tone(level=0.5), clipping=(0.4, 0.4))
    np.testing.assert_allclose(out, np.clip(tone(level=0.5), -0.2, 0.2), atol=2e-3)


def test_a_range_beyond_its_limits_leaves_the_utterance():
    audio = tone(level=0.5, frequency=3900.0)
    out, _ = augment(audio, low_cut=(-0.2, -0.1), high_cut=(1.1, 1.4), clipping=(1.1, 2.0))
    np.testing.assert_allclose(out, audio, atol=2e-3)


def test_silence_stays_silence():
    out, _ = augment(np.zeros(8000, "float32"), snr_db=(0.0, 0.0), speed=(0.9, 1.1))
    assert not out.any()


def test_the_seed_decides():
    audio, options = tf.constant(tone()), WaveformAugmentation()
    first, again, other = (augment_waveform(audio, seed, options) for seed in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1] == again[1] and first[1] != other[1]


def test_edges_are_cut_and_silence_is_put_there(rng):
    speech = np.concatenate([np.full(300, 0.001), rng.uniform(0.2, 0.9, 1000), np.zeros(200)]).astype("float32")
    lengths = set()
    for number in range(40):
        edged = vary_edges(tf.constant(speech), [number, 7], 50, 400).numpy()
        sound = np.flatnonzero(edged)
        np.testing.assert_array_equal(edged[sound], speech[300:1300])
        before, after = sound[0], len(edged) - 1 - sound[-1]
        assert 50 <= before <= 400 and 50 <= after <= 400
        lengths |= {before, after}
    assert len(lengths) > 60
    np.testing.assert_array_equal(edged, vary_edges(tf.constant(speech), [39, 7], 50, 400))


def test_edges_of_silence_and_of_nothing():
    for audio in (np.zeros(100, "float32"), np.zeros(0, "float32"), np.full(3, np.nan, "float32")):
        assert len(vary_edges(tf.constant(audio), [1, 1], 5, 5)) == len(audio) + 10


def test_words_are_cut_short():
    """Samples are numbered, so that what is left tells what is gone."""
    starts, ends = [10, 120, 200, 500], [110, 160, 500, 500]
    cuts = []
    for number in range(200):
        left = cut_words(tf.range(600), starts, ends, [number, 7], 30.5).numpy()
        gone = np.setdiff1d(np.arange(600), left)
        for start, end, longest in zip(starts[:3], ends[:3], (25, 10, 30), strict=True):
            inside = gone[(gone >= start) & (gone < end)]
            first, last = np.sum(inside < (start + end) / 2), np.sum(inside >= (start + end) / 2)
            np.testing.assert_array_equal(inside, [*range(start, start + first), *range(end - last, end)])
            assert max(first, last) <= longest
            cuts += [first / longest, last / longest]
        assert sum(np.sum((gone >= a) & (gone < b)) for a, b in zip(starts, ends, strict=True)) == len(gone)
    assert 0.4 < np.mean(np.array(cuts) > 0.01) < 0.6
    assert max(cuts) > 0.9
    np.testing.assert_array_equal(left, cut_words(tf.range(600), starts, ends, [199, 7], 30.5))


def test_nothing_is_cut_where_no_word_is_known():
    np.testing.assert_array_equal(cut_words(tf.range(9), [], [], [1, 2], 5.0), np.arange(9))
    np.testing.assert_array_equal(cut_words(tf.range(9), [2], [8], [1, 2], 0.0), np.arange(9))
