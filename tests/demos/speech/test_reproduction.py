"""The figures of the docs made again: which commands run, what goes on after a stop, and the table."""

import json
from pathlib import Path

import pytest

from demos.speech import reproduction
from demos.speech.cli import main
from demos.speech.experiments import EXPERIMENTS, Experiment, Trial
from demos.speech.parser import make_parser
from demos.speech.reproduction import commands, reproduce, table

FIGURES = {"boundary_error_ms": 7.0, "boundary_error_p95_ms": 100.0, "mass_inside": 0.95}
TRIALS = (Trial("seed 0", ("--dataset", "spoken_digit")), Trial("seed 1", ("--seed", "1"), robustness=True))


@pytest.fixture
def ran(monkeypatch):
    """Commands that take no time; the list of what ran, and the names of commands that are to fail."""
    asked, failing = [], {}

    def run_module(module, arguments, log):
        command, _, run = arguments[:3]
        asked.append(command)
        if command in failing:
            return failing[command]
        run = Path(run)
        run.mkdir(parents=True, exist_ok=True)
        wer = 0.01 * (1 + (run.name == "seed_1"))
        files = {
            "train": ("config.json", {}),
            "evaluate": ("evaluation.json", {"wer": wer, **FIGURES}),
            "robustness": ("robustness.json", {"conditions": {"quiet": {"wer": 0.125}}}),
            "self-train": ("model.keras", {}),
        }
        name, content = files[command]
        (run / name).write_text(json.dumps(content))

    monkeypatch.setattr(reproduction, "run_module", run_module)
    monkeypatch.setattr(reproduction, "EXPERIMENTS", {"some": Experiment("some figures", TRIALS)})
    return asked, failing


def test_all_trials_in_one_table(ran, tmp_path):
    text = reproduce([], tmp_path)
    assert ran[0] == ["train", "evaluate", "train", "evaluate", "robustness"]
    cells = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert cells[0][:3] == ["experiment", "trial", "words wrong"]
    assert [row[1:3] for row in cells[2:]] == [
        ["seed 0", "1.00 %"],
        ["seed 1", "2.00 %"],
        ["mean of 2", "1.50 %"],
        ["quiet", "12.50 %"],
    ]
    assert (tmp_path / "figures.md").read_text().strip() == text
    assert json.loads((tmp_path / "figures.json").read_text())["some"]["seed 1"]["wer"] == 0.02


def test_words_wrong_without_adaptation_have_rows_of_their_own():
    results = {
        who: {"wer": wer / 2, "unadapted_wer": wer, **FIGURES} for who, wer in {"ann": 0.02, "bob": 0.04}.items()
    }
    rows = [[cell.strip() for cell in line.split("|")[2:4]] for line in table({"speakers": results}).splitlines()]
    assert rows[-3:] == [
        ["ann, not adapted", "2.00 %"],
        ["bob, not adapted", "4.00 %"],
        ["mean, not adapted", "3.00 %"],
    ]


def test_a_self_trained_model_is_tested_too_and_not_trained_twice(ran, tmp_path, monkeypatch):
    asked, _ = ran
    trials = (Trial("ann", ("--seed", "0"), self_train="test"),)
    monkeypatch.setattr(reproduction, "EXPERIMENTS", {"some": Experiment("some figures", trials)})
    text = reproduce([], tmp_path)
    assert asked == ["train", "evaluate", "self-train", "evaluate"]
    rows = [[cell.strip() for cell in line.split("|")[2:4]] for line in text.splitlines()]
    assert rows[2:] == [["ann", "1.00 %"], ["ann, self-trained", "1.00 %"]]
    run = tmp_path / "some" / "ann"
    (run / "self_trained" / "config.json").write_text("{}")
    assert [arguments[0] for arguments in commands(trials[0], run)] == ["train", "evaluate", "evaluate"]


def test_all_of_an_ensemble_are_trained_and_asked_together(tmp_path):
    trial = Trial("ann", ("--seed", "0"), ensemble=(("--seed", "1"), ("--seed", "2")))
    (tmp_path / "other_1").mkdir()
    (tmp_path / "other_1" / "config.json").write_text("{}")
    others = [str(tmp_path / name) for name in ("other_0", "other_1")]
    assert list(commands(trial, tmp_path)) == [
        ["train", "--run", str(tmp_path), "--seed", "0"],
        ["train", "--run", others[0], "--seed", "1"],
        ["train", "--run", others[1], "--resume"],
        ["evaluate", "--model", str(tmp_path), "--ensemble", others[0], "--ensemble", others[1]],
    ]


def test_what_is_done_is_not_done_again_and_what_was_stopped_is_gone_on_with(ran, tmp_path):
    asked, failing = ran
    failing["robustness"] = "no such split"
    with pytest.raises(Exception, match="robustness --model .*seed_1: no such split"):
        reproduce([], tmp_path)
    assert "seed 0" in (tmp_path / "figures.md").read_text()
    asked.clear(), failing.clear()
    reproduce(["some"], tmp_path)
    assert asked == ["train", "evaluate", "robustness"]


def test_a_training_that_was_begun_is_resumed(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert next(iter(commands(TRIALS[0], tmp_path))) == ["train", "--run", str(tmp_path), "--resume"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_command_of_every_experiment_is_understood(name):
    for trial in EXPERIMENTS[name].trials:
        for arguments in commands(trial, Path("runs/one"), Path("data")):
            make_parser().parse_args(arguments)


def test_unknown_names(ran, tmp_path, capsys):
    assert main(["reproduce", "nothing", "--run", str(tmp_path / "new")]) == 2
    assert "Expected experiments among some. Received: nothing" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_figures_that_there_are_not():
    assert "| seed 0 | 1.00 % | - | - | - |" in table({"one": {"seed 0": {"wer": 0.01, "mass_inside": None}}})
