"""A comparison: which runs there are, what is done again, and what becomes of those that fail."""

import json

import pytest

from demos.speech import comparison, comparison_figure, comparison_run, processes, training
from demos.speech.cli import main
from demos.speech.comparison import Run, compare, run_in_process, settings
from demos.speech.config import Config
from demos.speech.errors import UserError
from tests.demos.speech import tone_words
from tests.demos.speech.comparison_results import result

SCORERS, ALIGNMENTS = ["dot", "gaussian_mixture"], ["softmax", "sigmoid_smoothing"]


@pytest.fixture
def config(monkeypatch):
    tone_words.install(monkeypatch)
    return settings(tone_words.NAME, 3, ["listener.units=8", "training.batch_size=4"])


@pytest.fixture
def runs(monkeypatch):
    """The runs that are done from now on, none of them really; those whose folders are in `failing` fail."""
    done, failing = [], set()

    def run_in_process(run, data_dir):
        done.append(run.folder.name)
        run.folder.mkdir(parents=True, exist_ok=True)
        run.config.save(run.folder / "config.json")
        if run.folder.name in failing:
            return "out of memory"
        (run.folder / comparison_run.RESULT).write_text(json.dumps(result()))

    monkeypatch.setattr(comparison, "run_in_process", run_in_process)
    # What takes most of the time, and is tested for itself.
    monkeypatch.setattr(comparison_figure, "draw", lambda rows, path: path.write_bytes(b"a picture"))
    return done, failing


ALL = ["dot-softmax-0", "dot-sigmoid_smoothing-0", "gaussian_mixture-softmax-0"]


def test_every_pair_that_makes_sense_once_for_each_seed(config, runs, tmp_path):
    rows = compare(config, SCORERS, ALIGNMENTS, 2, tmp_path)
    # The seeds one after the other, so that every pair has some figures early.
    assert runs[0] == [name[:-1] + seed for seed in "01" for name in ALL]
    assert [len(row.results) for row in rows] == [2, 2, 2, 0]
    assert (rows[-1].scorer, rows[-1].alignment) == ("gaussian_mixture", "sigmoid_smoothing")
    assert "needs scores whose sign has a meaning" in rows[-1].state and "Received" not in rows[-1].state


def test_all_runs_have_the_same_settings_but_for_the_pair_and_the_seed(config, tmp_path):
    pair = comparison._runs(config, ("dot", "entmax15"), 2, tmp_path)
    assert [run.config.training.seed for run in pair] == [0, 1]
    one = pair[1].config
    assert (one.speller.scorer, one.speller.alignment, one.training.epochs) == ("dot", "entmax15", 3)
    own = {"speller": {"scorer": "location_aware", "alignment": "softmax"}, "training": {"seed": 0}}
    assert one.replace(**own) == config
    assert (config.listener.units, config.speller.units, config.decoding.beam_width) == (8, 128, 1)


def test_what_is_done_is_left_alone_and_what_failed_is_tried_again(config, runs, tmp_path, capsys):
    done, failing = runs
    failing.add(ALL[1])
    rows = compare(config, SCORERS, ALIGNMENTS, 1, tmp_path)
    assert [row.state for row in rows[2:3]] == ["failed: seed 0: out of memory"]
    assert "failed: seed 0: out of memory" in (tmp_path / "comparison.html").read_text()
    progress = capsys.readouterr().err.splitlines()
    assert progress == [
        "dot x softmax, seed 0: words wrong 1.00 %, alignment error 5.00 %, ms a step 123",
        "dot x sigmoid_smoothing, seed 0: out of memory",
        "gaussian_mixture x softmax, seed 0: words wrong 1.00 %, alignment error 5.00 %, ms a step 123",
    ]
    failing.clear()
    done.clear()
    rows = compare(config, [*SCORERS, "cosine"], ALIGNMENTS[:1], 1, tmp_path)
    assert done == ["cosine-softmax-0"] and len(rows) == 3
    compare(config, SCORERS, ALIGNMENTS, 1, tmp_path)
    assert done == ["cosine-softmax-0", ALL[1]]


def test_what_training_makes_of_the_settings_is_the_same_the_second_time(config, runs, tmp_path):
    compare(config, ["dot"], ["softmax"], 1, tmp_path)
    path = tmp_path / "runs" / "dot-softmax-0" / "config.json"
    path.write_text(json.dumps(training.with_budget(Config.load(path), tone_words.ToneWords()).to_dict()))
    compare(config, ["dot"], ["softmax"], 1, tmp_path)
    assert runs[0] == ["dot-softmax-0"]


def test_with_other_settings_the_folder_is_not_touched(config, runs, tmp_path):
    compare(config, ["dot"], ["softmax"], 1, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(UserError, match="dot-softmax-0 holds a run with other settings: choose another folder"):
        compare(config.replace(training={"epochs": 4}), ["cosine", "dot"], ["softmax"], 1, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("scorers", "alignments", "message"),
    [(["luong"], ["softmax"], "Unknown scorer"), (["dot"], ["hard"], "Unknown alignment")],
)
def test_unknown_names(config, tmp_path, scorers, alignments, message):
    with pytest.raises(UserError, match=message):
        compare(config, scorers, alignments, 1, tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_data_that_are_not_there_are_one_mistake_and_not_one_for_each_run(runs, tmp_path, capsys):
    folder = tmp_path / "new"
    assert main(["compare", "--dataset", "nonsense", "--run", str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: Expected a dataset of") and not runs[0] and not folder.exists()


def test_the_command_prints_the_table(config, runs, tmp_path, capsys):
    arguments = ["--dataset", tone_words.NAME, "--scorers", "dot", "--alignments", "softmax", "entmax15"]
    assert main(["compare", *arguments, "--run", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "| dot | entmax15 | **1.00 %** |" in out and f"{tmp_path}/comparison.html" in out


def test_a_process_that_fails_says_why(tmp_path):
    run = Run(tmp_path / "run", settings("nonsense", 1))
    error = run_in_process(run)
    assert error.startswith("Expected a dataset of synthetic_speech/commands") and error.endswith("name='nonsense'")
    assert "Traceback" in (tmp_path / "run" / "log.txt").read_text()


def test_a_process_that_the_system_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(processes.sys, "executable", "/bin/false")
    run = Run(tmp_path, settings("nonsense", 1))
    assert "ended with code 1, see" in run_in_process(run)
    log = tmp_path / "log.txt"
    assert processes._reason(-9, log) == "ended by the system: SIGKILL"
