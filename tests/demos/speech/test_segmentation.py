"""Segmentation: what is heard in noise, tones and silence, where long runs are cut, and how little is held."""

import tracemalloc

import numpy as np
import pytest
import soundfile

from demos.speech.audio import read_audio
from demos.speech.errors import UserError
from demos.speech.segmentation import FRAME, SegmentationConfig, cut, cut_recording, find_segments, frame_levels
from tests.demos.speech.small_model import sound

RATE = 8000
WORDS = [(5.0, 5.8), (8.0, 9.1), (9.3, 9.8), (20.0, 21.0), (33.0, 33.4), (36.0, 36.6)]
# The second and the third word are less than half a second apart.
RUNS = [(5.0, 5.8), (8.0, 9.8), (20.0, 21.0), (33.0, 33.4), (36.0, 36.6)]


def recording(background, words=WORDS, seconds=40.0):
    """Bursts of noise of -20 dB as words, in a background, float32 `(samples,)`."""
    waveform = np.zeros(round(seconds * RATE)) + background
    for start, end in words:
        inside = slice(round(start * RATE), round(end * RATE))
        waveform[inside] += noise(-20.0, end - start, seed=1)
    return waveform.astype("float32")


def noise(level, seconds=40.0, seed=0):
    return 10 ** (level / 20) * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def tone(level, seconds=40.0, frequency=440.0):
    return 10 ** (level / 20) * np.sqrt(2) * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def segments(waveform, config=SegmentationConfig()):
    """Pairs of start and end in seconds."""
    return FRAME * np.array(find_segments(frame_levels([waveform], round(FRAME * RATE)), config)).reshape(-1, 2)


BACKGROUNDS = {
    "nothing": 0.0,
    "an offset": 0.1,
    "noise": noise(-55.0),
    "loud noise": noise(-32.0),
    "a tone": tone(-30.0),
    "hum": tone(-35.0, frequency=50.0),
}


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_words_are_found_in_any_background(background):
    # A tenth of a second is kept on each side, less or more by a frame and what the median of three takes.
    expected = np.add(RUNS, [-0.1, 0.1])
    np.testing.assert_allclose(segments(recording(BACKGROUNDS[background])), expected, atol=2.1 * FRAME)


def test_noise_that_grows_is_background_after_a_while():
    words = [(5.0, 6.0), (40.0, 41.0), (50.0, 51.0)]
    found = segments(recording(np.concatenate([noise(-60.0, 15.0), noise(-40.0, 45.0)]), words, 60.0))
    np.testing.assert_allclose(found[[0, -2, -1]], np.add(words, [-0.1, 0.1]), atol=2.1 * FRAME)
    assert all(14.7 < start < end < 30 for start, end in found[1:-2])


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("seconds", [4.0, 40.0])
def test_where_nothing_is_said_nothing_is_found(background, seconds):
    waveform = recording(BACKGROUNDS[background], words=[])[: round(seconds * RATE)]
    assert not len(segments(waveform))


def test_clipped_speech_is_still_cut_at_its_pauses():
    clipped = np.clip(100 * recording(noise(-70.0)), -1, 1)
    assert np.mean(np.abs(clipped) == 1) > 0.05
    np.testing.assert_allclose(segments(clipped), np.add(RUNS, [-0.1, 0.1]), atol=2.1 * FRAME)


def test_a_click_is_no_word():
    waveform = recording(noise(-55.0), words=[])
    waveform[100_000:100_010] = 0.9
    assert not len(segments(waveform))


def test_a_longer_pause_keeps_words_together():
    found = segments(recording(noise(-55.0)), SegmentationConfig(pause=3.0, margin=1.0))
    np.testing.assert_allclose(found, np.add([(5, 9.8), (20, 21), (33, 36.6)], [-1.0, 1.0]), atol=2.1 * FRAME)


def test_a_recording_no_longer_than_a_segment_stays_whole_and_says_something_however_short():
    waveform = recording(noise(-55.0))
    assert segments(waveform[: 14 * RATE]).tolist() == [[0.0, pytest.approx(14.0, abs=FRAME)]]
    for seconds in (0.1, 0.3, 1.0):  # too short to tell a word from a steady noise
        assert len(segments(noise(-20.0, seconds))) == 1


def test_music_without_a_pause_is_cut_into_parts_that_join():
    frequencies = np.random.default_rng(0).uniform(200, 900, 200)
    notes = [tone(-20.0 + 10.0 * (number % 2), 0.4, frequency) for number, frequency in enumerate(frequencies)]
    waveform = np.concatenate([noise(-60.0, 5.0), *notes, noise(-60.0, 5.0)])
    found = segments(waveform, SegmentationConfig(longest=6.0))
    np.testing.assert_array_equal(found[1:, 0], found[:-1, 1])
    lengths = found[:, 1] - found[:, 0]
    assert lengths.max() <= 6.0 and lengths.min() > 2.9
    np.testing.assert_allclose(found[[0, -1], [0, 1]], [4.9, 85.1], atol=0.5)


def test_a_long_run_is_cut_where_it_is_quietest():
    levels = np.tile(np.repeat([-20.0, -35.0], [10, 6]), 90)
    levels[:100] = levels[1300:] = -70
    levels[[300, 332, 700, 812, 1004]] = -60  # single frames are no good place
    for dip in (444, 748, 1052):
        levels[dip - 3 : dip + 4] = -50
    cuts = [end for _, end in find_segments(levels, SegmentationConfig(longest=12.0))[:-1]]
    np.testing.assert_allclose(cuts, [444, 748, 1052], atol=1)


@pytest.mark.parametrize("seed", range(5))
def test_segments_of_anything_are_in_order_bounded_and_hold_all_that_is_heard(seed):
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.uniform(-80, 0, 300), rng.integers(1, 60, 300))
    config = SegmentationConfig(rng.uniform(0.1, 2), rng.uniform(0, 2), rng.uniform(1, 20))
    spans = np.array(find_segments(levels, config))
    assert (spans >= 0).all() and (spans <= len(levels)).all()
    assert (spans[:, 0] < spans[:, 1]).all() and (spans[1:, 0] >= spans[:-1, 1]).all()
    assert (spans[:, 1] - spans[:, 0]).max() * FRAME <= config.longest
    inside = np.zeros(len(levels), bool)
    for start, end in spans:
        inside[start:end] = True
    assert inside[levels > -10].all() and not inside.all()


def test_levels_are_the_variances_of_frames_however_the_blocks_are_cut():
    rng = np.random.default_rng(0)
    waveform = rng.standard_normal(1000)
    expected = [10 * np.log10(np.var(waveform[first : first + 30]) + 1e-8) for first in range(0, 1000, 30)]
    for cuts in ([], [7], [1, 2, 500, 990], rng.integers(0, 1000, 20)):
        blocks = np.split(waveform, np.sort(cuts))
        np.testing.assert_allclose(frame_levels(blocks, 30), expected, rtol=1e-5)


def test_cut_takes_no_more_blocks_than_it_needs():
    taken = []
    blocks = (taken.append(number) or np.full(10, number) for number in range(100))
    parts = cut(blocks, [(5, 25), (40, 45), (900, 905), (998, 1005), (1010, 1020)])
    assert [*next(parts)] == [0] * 5 + [1] * 10 + [2] * 5 and len(taken) == 3
    assert [*next(parts)] == [4] * 5 and len(taken) == 5
    assert [len(part) for part in parts] == [5, 2, 0] and len(taken) == 100


@pytest.mark.parametrize("rate", [8000, 11025, 48000])
def test_a_file_is_cut_into_parts_of_what_would_be_read_whole(tmp_path, rate):
    parts = [sound(1.0, rate, seed) for seed in range(4)]
    silence = np.zeros(2 * rate, "float32")
    soundfile.write(tmp_path / "a.flac", np.concatenate([one for part in parts for one in (part, silence)]), rate)
    whole = read_audio(tmp_path / "a.flac", RATE)
    found = list(cut_recording(tmp_path / "a.flac", RATE, SegmentationConfig(longest=5.0)))
    np.testing.assert_allclose([start for start, _ in found], [0, 2.9, 5.9, 8.9], atol=0.1)
    for start, waveform in found:
        first = round(start * RATE)
        np.testing.assert_array_equal(waveform, whole[first : first + len(waveform)])
        assert 0.9 < len(waveform) / RATE < 1.3


def test_a_long_file_is_never_held(tmp_path):
    with soundfile.SoundFile(tmp_path / "a.wav", "w", RATE, 1) as file:
        for minute in range(20):
            file.write(np.concatenate([sound(2.0, RATE, minute), np.zeros(58 * RATE, "float32")]))
    tracemalloc.start()
    assert sum(1 for _ in cut_recording(tmp_path / "a.wav", RATE)) == 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3e6 < 20 * 60 * RATE * 4 / 10


@pytest.mark.parametrize(
    "values", [{"pause": 0.0}, {"pause": -1.0}, {"margin": -0.1}, {"longest": 0.5}, {"pause": float("nan")}]
)
def test_settings_that_make_no_sense(values):
    with pytest.raises(
        UserError,
        match="Expected a pause of more than 0 s, a margin of at least 0 s and a longest segment of at least 1 s",
    ):
        SegmentationConfig(**values)
