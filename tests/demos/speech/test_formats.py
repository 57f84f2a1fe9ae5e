"""Formats: what is written of a recording, and into which file."""

import json
from pathlib import Path

import pytest

from demos.speech.errors import UserError
from demos.speech.formats import FORMATS, choose_format, output_files
from demos.speech.recognition import Word
from demos.speech.recording import Recording, Segment

WORDS = (Word("grüß", 0.5, 1.0, 1 / 3), Word("你好", 1.25, 2.0, None))
RECORDING = Recording("a/ö.wav", 4.5, (Segment(0.25, 2.25, "grüß 你好", WORDS, -2 / 3, True),))


def test_text_and_json_are_a_line():
    assert FORMATS["text"][1](RECORDING) == "grüß 你好\n"
    line = FORMATS["json"][1](RECORDING)
    assert line.count("\n") == 1 and "grüß 你好" in line
    assert json.loads(line) == {
        "file": "a/ö.wav",
        "text": "grüß 你好",
        "score": -0.666667,
        "duration": 4.5,
        "segments": [
            {
                "start": 0.25,
                "end": 2.25,
                "text": "grüß 你好",
                "words": [
                    {"text": "grüß", "start": 0.5, "end": 1.0, "confidence": 0.333333},
                    {"text": "你好", "start": 1.25, "end": 2.0, "confidence": None},
                ],
                "score": -0.666667,
                "ended": True,
            }
        ],
    }


def test_nothing_said():
    nothing = Recording("a.wav", 1.0, ())
    assert FORMATS["text"][1](nothing) == "\n"
    values = json.loads(FORMATS["json"][1](nothing))
    assert (values["text"], values["score"], values["segments"]) == ("", None, [])


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_known_by_the_suffix_or_by_name(name):
    suffix = FORMATS[name][0]
    assert choose_format(None, Path(f"x{suffix}")) == choose_format(None, Path(f"x{suffix.upper()}")) == name
    assert choose_format(name, Path("x.other")) == choose_format(name, None) == name
    assert choose_format(None, Path("x.other")) == choose_format(None, None) == "text"


def test_output_files(tmp_path):
    (tmp_path / "a.folder").mkdir()
    (tmp_path / "file").touch()
    one, two = ["x.wav"], ["x.wav", "y.wav"]
    assert output_files(two, None, "text") == [None, None]
    assert output_files(one, None, "srt") == [None]
    assert output_files(one, tmp_path / "new.txt", "srt") == [tmp_path / "new.txt"]
    assert output_files(one, tmp_path / "file", "srt") == [tmp_path / "file"]
    for folder in ("new", "a.folder"):
        assert output_files(two, tmp_path / folder, "vtt") == [tmp_path / folder / name for name in ("x.vtt", "y.vtt")]


@pytest.mark.parametrize(
    ("output", "format", "message"),
    [
        (None, "srt", "Expected --output with a folder for 2 files as srt. Received: none"),
        ("all.json", "json", "Expected a folder for 2 files. Received: output='all.json'"),
    ],
)
def test_several_recordings_do_not_go_into_one_file(output, format, message):
    with pytest.raises(UserError, match=message):
        output_files(["x.wav", "y.wav"], output, format)


def test_a_recording_is_not_overwritten(tmp_path):
    with pytest.raises(UserError, match="Expected another file than the recording. Received: output="):
        output_files([tmp_path / "x.wav"], tmp_path / "other" / ".." / "x.wav", "text")
