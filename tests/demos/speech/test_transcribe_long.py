"""Recordings of any length through the command line: segments, formats, output files, and silence."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from demos.speech import figures, loading, transcribe
from demos.speech.cli import main
from demos.speech.decoding import DecodingConfig
from demos.speech.loading import Recogniser
from demos.speech.recognition import recognise, transcriber
from demos.speech.segmentation import cut_recording
from tests.demos.speech.small_model import RATE, make, sound
from tests.demos.speech.test_transcribe import refusal

# Seconds of sound; three of silence follow on each.
LENGTHS = [1.0, 2.0, 0.8, 1.5]
STARTS = [3.0, 7.0, 12.0, 15.8]


@pytest.fixture(scope="module")
def recogniser():
    """Random weights, and one graph for all tests."""
    return Recogniser(transcriber(make(), DecodingConfig(beam_width=1, max_length_ratio=0.3)), RATE, ())


@pytest.fixture(autouse=True)
def opened(monkeypatch, recogniser):
    """Whatever model is named, this one is opened."""
    monkeypatch.setattr(loading, "open_recogniser", lambda *_, **__: recogniser)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A recording of four sounds with pauses, twenty seconds; a short one; silence."""
    folder = tmp_path_factory.mktemp("recordings")
    pause = np.zeros(3 * RATE, "float32")
    sounds = [sound(length, RATE, seed) for seed, length in enumerate(LENGTHS)]
    soundfile.write(folder / "long.flac", np.concatenate([pause, *(x for one in sounds for x in (one, pause))]), RATE)
    soundfile.write(folder / "short.wav", sounds[1], RATE)
    soundfile.write(folder / "silent.wav", np.random.default_rng(0).integers(-2, 3, 20 * RATE).astype("int16"), RATE)
    return folder


def output(capsys, *arguments):
    """What a command that goes well prints."""
    assert main([str(argument) for argument in ("transcribe", *arguments, "--model", "any")]) == 0
    out, err = capsys.readouterr()
    assert not err
    return out


def test_a_long_recording_is_what_its_segments_are_by_themselves(recordings, recogniser, capsys):
    (line,) = output(capsys, recordings / "long.flac", "--json").splitlines()
    found = json.loads(line)
    assert found["duration"] == 20.3 and len(found["segments"]) == 4
    np.testing.assert_allclose([one["start"] for one in found["segments"]], np.subtract(STARTS, 0.1), atol=0.1)
    assert found["text"] == " ".join(one["text"] for one in found["segments"] if one["text"])

    pieces = [{"start": start, "audio": audio} for start, audio in cut_recording(recordings / "long.flac", RATE)]
    for segment, piece in zip(found["segments"], pieces, strict=True):
        ((_, alone),) = recognise(recogniser.transcribe, [piece])
        assert segment["text"] == alone.text and segment["ended"] == alone.ended
        assert segment["score"] == pytest.approx(alone.score, abs=1e-5)
        words = segment["words"]
        assert [one["text"] for one in words] == [one.text for one in alone.words]
        assert all(segment["start"] <= one["start"] < one["end"] <= segment["end"] for one in words)


def test_files_of_any_length_together_are_what_they_are_alone(recordings, capsys):
    names = ["long.flac", "silent.wav", "short.wav"]
    files = [recordings / name for name in names]
    alone = [json.loads(output(capsys, file, "--json")) for file in files]
    together = [json.loads(line) for line in output(capsys, *files, "--json").splitlines()]
    for one, other in zip(together, alone, strict=True):
        one.pop("score"), other.pop("score")
        for segment in (*one["segments"], *other["segments"]):
            segment["score"] = pytest.approx(segment["score"], abs=1e-5)
            for word in segment["words"]:
                word["confidence"] = pytest.approx(word["confidence"], abs=1e-5)
    assert together == alone
    texts = [one["text"] for one in alone]
    assert texts[0] and texts[2] and not texts[1]
    lines = [f"{file}: {text}" for file, text in zip(files, texts, strict=True)]
    assert output(capsys, *files).splitlines() == lines


def test_pause_and_longest(recordings, capsys):
    def segments(*options):
        return json.loads(output(capsys, recordings / "long.flac", "--json", *options))["segments"]

    assert len(segments("--pause", "4")) == 1
    lengths = [one["end"] - one["start"] for one in segments("--pause", "4", "--longest", "7")]
    assert len(lengths) >= 3 and max(lengths) <= 7


def test_files_are_written_in_every_format(recordings, tmp_path, capsys):
    files = [recordings / "long.flac", recordings / "silent.wav"]
    starts = {
        ".txt": "",
        ".json": '{"file":',
        ".srt": "1\n00:00:0",
        ".vtt": "WEBVTT\n",
        ".TextGrid": "File type",
        ".ctm": "long 1 ",
    }
    for format, suffix in zip(("text", "json", "srt", "vtt", "textgrid", "ctm"), starts, strict=True):
        written = [tmp_path / format / f"{name}{suffix}" for name in ("long", "silent")]
        out = output(capsys, *files, "--format", format, "--output", tmp_path / format)
        assert out.splitlines() == [str(path) for path in written]
        assert sorted((tmp_path / format).iterdir()) == written
        assert written[0].read_text("utf-8").startswith(starts[suffix])
    output(capsys, files[0], "--output", tmp_path / "new" / "single.vtt")
    assert (tmp_path / "new" / "single.vtt").read_bytes() == (tmp_path / "vtt" / "long.vtt").read_bytes()


def test_a_figure_for_each_segment(recordings, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        figures, "draw_transcript", lambda path, waveform, *_, **__: drawn.append((path, len(waveform)))
    )
    output(capsys, *(recordings / name for name in ("short.wav", "silent.wav", "long.flac")), "--plot", tmp_path)
    names = [path.name for path, _ in drawn]
    assert names[0] == "short.png" and len(names) == 5
    assert all(name.startswith("long-") and name.endswith("s.png") for name in names[1:])
    seconds = [length / RATE for _, length in drawn]
    np.testing.assert_allclose(seconds, [2.0, *np.add(LENGTHS, 0.2)], atol=0.2)


def test_outputs_that_cannot_be(recordings, tmp_path, capsys):
    files = [str(recordings / "long.flac"), str(recordings / "short.wav")]
    (line,) = refusal(capsys, ["transcribe", *files, "--model", "any", "--format", "srt"])
    assert line == "error: Expected --output with a folder for 2 files as srt. Received: none"
    (tmp_path / "file").write_text("kept")
    (line,) = refusal(capsys, ["transcribe", *files, "--model", "any", "--output", str(tmp_path / "file")])
    assert line.startswith("error: Expected a folder for 2 files. Received: output=")
    (line,) = refusal(capsys, ["transcribe", files[0], "--model", "any", "--output", str(tmp_path / "file" / "a.srt")])
    assert line.startswith("error: Cannot write") and line.endswith("Not a directory")
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "kept"


def test_a_file_that_vanishes_or_changes_while_others_are_transcribed(recordings, tmp_path, capsys, monkeypatch):
    content = (recordings / "short.wav").read_bytes()
    monkeypatch.setattr(transcribe, "_HELD", 1)
    real = transcribe.cut_recording

    def spoiled(spoil):
        def cut(path, *arguments):
            if path.name == "b.wav":
                spoil(path)
            return real(path, *arguments)

        return cut

    files = [str(tmp_path / name) for name in ("a.wav", "b.wav")]
    for spoil, message in (
        (lambda path: path.write_bytes(content[:100]), "b.wav' of 0.00"),
        (lambda path: path.unlink(), "b.wav': No such file or directory"),
    ):
        for file in files:
            Path(file).write_bytes(content)
        monkeypatch.setattr(transcribe, "cut_recording", spoiled(spoil))
        assert main(["transcribe", *files, "--model", "any", "--output", str(tmp_path / "out"), "--json"]) == 2
        out, err = capsys.readouterr()
        assert not out and not (tmp_path / "out").exists()
        assert err.startswith("error: Expected") and message in err and err.count("\n") == 1


def test_few_segments_are_held(recogniser, monkeypatch):
    read, read_before = [], []

    def cut(path, rate, config):
        for number in range(50):
            read.append(number)
            yield float(number), sound(0.3, RATE, number)

    def watched(waveform, num_samples):
        read_before.append(len(read))
        return recogniser.transcribe(waveform, num_samples)

    monkeypatch.setattr(transcribe, "cut_recording", cut)
    monkeypatch.setattr(transcribe, "_HELD", 10)
    watch = dataclasses.replace(recogniser, transcribe=watched)
    (recording,) = transcribe.transcribe_files(["x.wav"], [60.0], watch)
    assert [segment.start for segment in recording.segments] == list(range(50))
    assert read_before == [10, 10, 20, 20, 30, 30, 40, 40, 50, 50]
