"""The whole road, on tones and with a model of a few units."""

import json

import pytest

from demos.speech import road
from demos.speech.config import Config
from tests.demos.speech import tone_words


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The run folder, what was returned and what was printed."""
    folder = tmp_path_factory.mktemp("runs") / "demo"
    printed = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        tone_words.install(monkeypatch)
        monkeypatch.setattr("builtins.print", lambda *values, **_: printed.append(" ".join(map(str, values))))
        results = road.run(folder, config=tone_words.CONFIG, verbose=0)
    return folder, results, "\n".join(printed)


def test_every_stage_has_its_heading_and_its_time(demo):
    _, _, printed = demo
    for number, title in enumerate(
        ["Data: tone_words", "Training: 1 epochs", "Evaluation", "Export", "One test recording"]
    ):
        assert f"[{number + 1}/5] {title}" in printed
    assert "24 utterances for train, 4 utterances for validation, 6 utterances for test" in printed


def test_what_is_listed_is_there(demo):
    folder, results, printed = demo
    listed = printed.split(f"Left in {folder}:\n")[1].split("\n\n")[0].splitlines()
    names = [line.split()[0] for line in listed]
    assert {"saved_model", "model.keras", "evaluation.json", "plots", "recording.wav"} <= set(names)
    assert all((folder / name).exists() for name in names)
    assert json.loads((folder / "evaluation.json").read_text()) == results
    assert f"Word error rate on test: {results['wer']:.2%}" in printed


def test_ends_with_a_test_recording_and_two_commands(demo):
    folder, _, printed = demo
    said = next(iter(tone_words.ToneWords().utterances("test")))["text"].numpy().decode()
    assert f"said        {said}\nrecognised  " in printed
    assert f"transcribe {folder}/recording.wav --model {folder}/saved_model" in printed
    assert printed.count("python -m demos.speech") == 2


def test_a_finished_run_is_not_trained_again(demo, capsys):
    folder, _, _ = demo
    before = (folder / "model.keras").stat().st_mtime_ns
    road._train(Config.load(folder / "config.json"), folder, None, True, 0)
    assert "done already, 1 epochs" in capsys.readouterr().out
    assert (folder / "model.keras").stat().st_mtime_ns == before


def test_an_interrupted_run_goes_on(monkeypatch, tmp_path, capsys):
    asked = []
    monkeypatch.setattr(road.training, "train", lambda *arguments, **options: asked.append(options["resume"]))
    config = tone_words.CONFIG.replace(training={"epochs": 3, "patience": 3})
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "history.json").write_text('[{"val_loss": 1.0}]')
    road._train(config, tmp_path, None, True, 0)
    assert asked == [True] and "going on after 1 epochs" in capsys.readouterr().out
