"""read_audio: formats, rates and channels; every bad file is one line that names it."""

import os

import numpy as np
import pytest
import soundfile
import soxr

from demos.speech.audio import check_audio, read_audio, read_blocks
from demos.speech.errors import UserError

RATE = 16000


def tone(seconds=1.0, rate=RATE, frequency=440.0):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype("float32")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_formats_and_rates(tmp_path, suffix, rate):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(rate=rate), rate)
    waveform = read_audio(path, RATE)
    assert waveform.dtype == np.float32
    assert abs(len(waveform) - RATE) <= (1700 if suffix == "mp3" else 1)  # MP3 pads to whole frames
    spectrum = np.abs(np.fft.rfft(waveform[4000:12000]))
    assert spectrum.argmax() == 220  # 2 Hz a bin
    assert np.abs(waveform[4000:12000]).max() == pytest.approx(0.5, abs=0.05 if suffix == "mp3" else 0.02)


def test_stereo_is_averaged(tmp_path):
    left, right = tone(), tone(frequency=1000.0)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], 1), RATE, "FLOAT")
    np.testing.assert_allclose(read_audio(str(tmp_path / "a.wav"), RATE), (left + right) / 2, atol=1e-7)


def test_resampling_equals_librosa(tmp_path):
    import librosa

    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 11025).astype("float32")
    soundfile.write(tmp_path / "a.wav", noise, 22050, "FLOAT")
    expected = librosa.resample(noise, orig_sr=22050, target_sr=RATE)
    waveform = read_audio(tmp_path / "a.wav", RATE)
    shared = min(len(waveform), len(expected))
    assert shared >= 7999
    np.testing.assert_allclose(waveform[:shared], expected[:shared], atol=1e-6)


def test_a_little_over_full_scale_is_clipped(tmp_path):
    soundfile.write(tmp_path / "a.wav", 3 * tone(), RATE, "FLOAT")
    assert np.abs(read_audio(tmp_path / "a.wav", RATE)).max() == 1.0


def with_value(value):
    waveform = tone()
    waveform[100] = value
    return waveform


@pytest.mark.parametrize(
    ("name", "samples", "rate", "message"),
    [
        ("none.wav", np.zeros(0), RATE, r"Expected at least 0.1 s of audio. Received: path='.*none.wav' of 0.000 s"),
        ("short.wav", tone(0.01), RATE, r"Expected at least 0.1 s of audio. Received: path='.*short.wav' of 0.010 s"),
        ("long.wav", np.zeros(1200 * 1000), 1000, r"cut it into pieces of at most 60 s. Received: .*long.wav' of 1200"),
        ("nan.wav", with_value(np.nan), RATE, r"Expected finite samples. .*nan.wav' with 1 of 16000 NaN"),
        ("inf.wav", with_value(-np.inf), RATE, r"Expected finite samples. .*inf.wav' with 1 of 16000 NaN"),
        ("int.wav", 32768 * tone(), RATE, r"Expected samples in \[-1, 1\]. .*int.wav' with a peak of 16384"),
    ],
)
def test_bad_recordings(tmp_path, name, samples, rate, message):
    soundfile.write(tmp_path / name, samples, rate, "FLOAT")
    refused(tmp_path / name, message)


def test_a_long_file_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "long.wav", np.zeros(61 * 8000), 8000)
    monkeypatch.setattr(soundfile.SoundFile, "read", None)
    refused(tmp_path / "long.wav", "Received: .*long.wav' of 61.0 s")


def test_no_file_a_folder_a_pipe(tmp_path):
    refused(tmp_path / "missing.wav", "missing.wav': No such file")
    refused(tmp_path, "which is a folder")
    os.mkfifo(tmp_path / "pipe.wav")
    refused(tmp_path / "pipe.wav", "which is not a regular file")


@pytest.mark.parametrize("name", ["text.wav", "text.mp3", "text.raw", "text"])
def test_a_file_that_holds_no_audio(tmp_path, name):
    (tmp_path / name).write_text("This is not audio.\n" * 100)
    refused(tmp_path / name, f"Expected an audio file such as WAV.* Received: path='.*{name}': ")
    (tmp_path / name).write_bytes(b"")
    refused(tmp_path / name, f"{name}', which is empty")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("kept", [1, 30, 100])
def test_a_file_cut_short_is_refused_with_one_line(tmp_path, suffix, kept):
    soundfile.write(tmp_path / f"a.{suffix}", tone(), RATE)
    content = (tmp_path / f"a.{suffix}").read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(content[:kept])
    refused(tmp_path / f"a.{suffix}", f"a.{suffix}'")


def test_a_recording_that_is_shorter_than_its_header_says(tmp_path):
    soundfile.write(tmp_path / "a.mp3", np.random.default_rng(0).uniform(-0.3, 0.3, 8 * RATE), RATE)
    content = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "a.mp3", r"Expected 8.0 s of audio, as the header says. Received: .*a.mp3' of [34].\d s")


def test_a_header_that_promises_years_takes_no_memory(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[40:44] = b"\xff" * 4  # the bytes of samples
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read_audio(tmp_path / "a.wav", RATE)) == RATE


@pytest.mark.parametrize("rate", [RATE, 11025, 44100])
def test_blocks_joined_are_the_recording(tmp_path, rate):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, int(3.3 * rate)).astype("float32")
    soundfile.write(tmp_path / "a.wav", noise, rate, "FLOAT")
    blocks = list(read_blocks(tmp_path / "a.wav", RATE))
    assert max(len(block) for block in blocks) < 1.1 * RATE and len(blocks) > 3
    np.testing.assert_array_equal(np.concatenate(blocks), soxr.resample(noise, rate, RATE))
    assert check_audio(tmp_path / "a.wav") == (rate, len(noise) / rate)


def test_only_what_is_asked_for_is_too_long(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(100 * 8000, "int16"), 8000)
    assert check_audio(tmp_path / "a.wav", longest=100) == (8000, 100)
    assert sum(map(len, read_blocks(tmp_path / "a.wav", 8000))) == 100 * 8000
    refused(tmp_path / "a.wav", "of 100.0 s")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE)
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read everything

        def denied(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.open", denied)
    refused(path, "Expected a readable audio file. Received: path='.*a.wav': Permission denied")


def refused(path, message):
    with pytest.raises(UserError, match=message) as caught:
        read_audio(path, RATE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_a_part_of_a_file(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(2.0), RATE)
    whole = read_audio(path, RATE)
    np.testing.assert_allclose(read_audio(path, RATE, 0.5, 1.25), whole[8000:20000], atol=1e-6)
    np.testing.assert_allclose(read_audio(path, RATE, start=1.5), whole[24000:], atol=1e-6)
    np.testing.assert_allclose(read_audio(path, RATE, end=0.5), whole[:8000], atol=1e-6)


def test_a_part_of_a_file_that_is_longer_than_what_is_read_at_once(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(100 * 8000, "int16"), 8000)
    assert len(read_audio(path, 8000, 95, 99)) == 4 * 8000
    with pytest.raises(UserError, match="at most 60 s of audio"):
        read_audio(path, 8000, start=1)


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (1, 1), (1.5, 1), (0, 2.1), (2, None), (float("nan"), 1)])
def test_a_part_that_a_file_does_not_have(tmp_path, start, end):
    soundfile.write(tmp_path / "a.wav", tone(2.0), RATE)
    with pytest.raises(UserError, match="0 <= start < end <= 2.000 s. Received: start="):
        read_audio(tmp_path / "a.wav", RATE, start, end)
