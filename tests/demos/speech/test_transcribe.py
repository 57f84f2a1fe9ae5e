"""transcribe, plot and the opening of models, through the command line."""

import json
import shutil

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from demos.speech import corpora, transcribe
from demos.speech.cli import main
from demos.speech.export import export
from tests.demos.speech.small_model import RATE, make, sound
from tests.demos.speech.tone_words import NAME, ToneWords


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with a model of random weights, exported."""
    folder = tmp_path_factory.mktemp("run")
    make().save(folder / "model.keras")
    export(folder, folder / "saved_model", {"beam_width": 2})
    return folder


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Recordings of the same sound, in several formats, silence, and a shorter one."""
    folder = tmp_path_factory.mktemp("recordings")
    for name in ("a.wav", "b.flac", "c.ogg", "d.mp3"):
        soundfile.write(folder / name, sound(1.2, 16000), 16000)
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(folder / "stereo.wav", np.stack([sound(0.5, 44100)] * 2, 1), 44100)
    return folder


def test_one_file(run, recordings, capsys):
    assert main(["transcribe", str(recordings / "a.wav"), "--model", str(run / "saved_model")]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1 and out.strip() and not err


def test_several_files_as_text_and_as_json_from_a_saved_model_and_from_a_run(run, recordings, capsys):
    files = [str(path) for path in sorted(recordings.iterdir())]
    assert main(["transcribe", *files, "--model", str(run / "saved_model")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["transcribe", *files, "--model", str(run / "saved_model"), "--json"]) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in objects] == files
    assert [f"{one['file']}: {one['text']}" for one in objects] == lines
    silent = objects.pop(4)
    assert silent["text"] == "" and silent["score"] is None and silent["segments"] == []
    assert all(one["score"] < 0 for one in objects)
    assert objects[0]["text"] == objects[1]["text"] != objects[4]["text"]


def test_one_voice(run, recordings, capsys, tmp_path):
    files = [str(recordings / name) for name in ("a.wav", "silent.wav", "stereo.wav")]
    assert main(["transcribe", *files, "--one-voice", "--model", str(run)]) == 0
    adapted = capsys.readouterr().out
    assert main(["transcribe", *files, "--model", str(run)]) == 0
    assert adapted.count("\n") == 3 and adapted != capsys.readouterr().out
    assert main(["transcribe", *files, "--one-voice", "--model", str(run / "saved_model")]) == 2
    assert "Expected a run folder or a .keras file" in capsys.readouterr().err


def test_the_default_model_is_the_shipped_one(run, recordings, capsys, monkeypatch, tmp_path):
    arguments = ["transcribe", str(recordings / "a.wav")]
    assert transcribe.DEFAULT_MODEL.parent.name == "saved_models"
    shutil.copytree(run / "saved_model", tmp_path / "shipped")
    for name in ("transcribe.DEFAULT_MODEL", "parser.DEFAULT_MODEL"):
        monkeypatch.setattr(f"demos.speech.{name}", tmp_path / "shipped")
    assert main(arguments) == 0
    assert capsys.readouterr().out.strip()
    shutil.rmtree(tmp_path / "shipped")
    assert refusal(capsys, arguments) == [
        f"error: There is no shipped model in {tmp_path / 'shipped'}: name one with --model"
    ]


def test_figures(run, recordings, tmp_path, capsys):
    files = [str(recordings / name) for name in ("a.wav", "stereo.wav", "a.wav")]
    assert main(["transcribe", *files, "--model", str(run), "--plot", str(tmp_path / "plots")]) == 0
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["a.png", "a_2.png", "stereo.png"]
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_all_bad_files_are_named_and_nothing_is_done(run, recordings, tmp_path, capsys):
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("This is no audio.")
    for name, samples in {
        "none": np.zeros(0),
        "short": np.zeros(80),
        "nan": np.full(8000, np.nan),
    }.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE, "FLOAT" if name == "nan" else "PCM_16")
    names = ["missing", "empty", "text", "none", "short", "nan"]
    files = [str(tmp_path / f"{name}.wav") for name in names]
    plots = tmp_path / "plots"
    lines = refusal(
        capsys, ["transcribe", str(recordings / "a.wav"), *files, "--model", str(run), "--plot", str(plots)]
    )
    assert len(lines) == len(names)
    for name, line, reason in zip(
        names,
        lines,
        ["No such file", "empty", "Format not recognised", "of 0.000 s", "of 0.010 s", "NaN"],
        strict=True,
    ):
        assert line.startswith("error: Expected") and f"{name}.wav'" in line and reason in line
    assert not plots.exists()


def refusal(capsys, arguments):
    """The lines on standard error of a command that does nothing else."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out
    return err.splitlines()


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
@pytest.mark.parametrize(
    "part", ["variables/variables.data-00000-of-00001", "variables/variables.index", "saved_model.pb"]
)
def test_a_truncated_saved_model(run, recordings, tmp_path, capsys, part, kept):
    shutil.copytree(run / "saved_model", tmp_path / "model")
    content = (tmp_path / "model" / part).read_bytes()
    (tmp_path / "model" / part).write_bytes(content[: int(kept * len(content))])
    (line,) = refusal(capsys, ["transcribe", str(recordings / "a.wav"), "--model", str(tmp_path / "model")])
    assert line.startswith(("error: Cannot load the SavedModel", "error: Expected a SavedModel made by export"))
    assert str(tmp_path / "model") in line


def test_what_is_no_model(recordings, tmp_path, capsys):
    def message(path):
        (line,) = refusal(capsys, ["transcribe", str(recordings / "a.wav"), "--model", str(path)])
        return line

    assert message(tmp_path / "none").endswith("none', which does not exist")
    assert "which has neither saved_model.pb nor model.keras" in message(tmp_path)
    assert message(recordings / "a.wav").endswith("which is damaged or none")
    tf.saved_model.save(tf.Module(), tmp_path / "other")
    assert "Expected a SavedModel made by export. Received: model=" in message(tmp_path / "other")


def test_plot_of_a_file_and_of_an_utterance(run, recordings, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(corpora._CORPORA, NAME, ToneWords)
    model = ["--model", str(run / "saved_model")]
    assert main(["plot", str(recordings / "a.wav"), *model, "--output", str(tmp_path / "file.png")]) == 0
    assert (tmp_path / "file.png").read_bytes().startswith(b"\x89PNG")
    utterance = ["plot", *model, "--index", "2", "--output", str(tmp_path / "new" / "utterance.svg")]
    assert main([*utterance, "--dataset", NAME]) == 0
    assert b"<svg" in (tmp_path / "new" / "utterance.svg").read_bytes()
    capsys.readouterr()
    (line,) = refusal(capsys, utterance)
    assert "There is no config.json beside" in line and line.endswith("name it with --dataset")
    (line,) = refusal(capsys, [*utterance, "--dataset", NAME, "--split", "nonsense"])
    assert line.endswith("train, validation, test. Received: split='nonsense'")
    (line,) = refusal(capsys, [*utterance[:4], "9", *utterance[5:], "--dataset", NAME])
    assert line == "error: Expected an index of test: 0 to 5. Received: index=9"
    monkeypatch.setitem(corpora._CORPORA, NAME, lambda name, data_dir: ToneWords(name, data_dir, 16000))
    assert main([*utterance, "--dataset", NAME]) == 0
