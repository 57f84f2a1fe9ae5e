"""One run of a comparison."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demos.speech import comparison_run, loading, training
from demos.speech.comparison_run import run_one, steps_until_aligned
from demos.speech.comparison_table import COLUMNS
from tests.demos.speech import tone_words
from tests.demos.speech.planted import planted_transcriber, references, save_model

COST = {"seconds_per_step": 0.5, "steps_per_epoch": 6, "peak_memory": 1000}
ROOT = Path(__file__).parents[3]


def epoch(error):
    return {"val_sharpness": 0.5, "val_monotonicity": 0.9, "val_alignment_error_rate": error}


@pytest.fixture
def trained(monkeypatch):
    """Training that takes no time, recognition that is known; the list of what training was asked for."""
    asked = []

    def train(config, run, data_dir, resume, verbose, callbacks):
        asked.append((config, resume, [type(one).__name__ for one in callbacks]))
        save_model(run)
        (run / "cost.json").write_text(json.dumps(COST))
        (run / "state").mkdir(exist_ok=True)
        (run / "state" / "history.json").write_text(json.dumps([epoch(0.9), epoch(0.1)]))

    tone_words.install(monkeypatch)
    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(loading, "search_of", lambda *_: planted_transcriber({0: ""}))
    return asked


def test_what_is_found_out(trained, tmp_path):
    run_one(tone_words.CONFIG, tmp_path)
    assert trained == [(tone_words.CONFIG, False, ["TrainingCost"])]
    found = json.loads((tmp_path / "result.json").read_text())
    assert {column.key for column in COLUMNS} <= set(found)
    missing = len(references()[0].split())
    assert found["wer"] == pytest.approx(missing / len(" ".join(references()).split()))
    assert found["alignment_error_rate"] == 0 and found["mass_inside"] == pytest.approx(0.8, abs=1e-3)
    assert {name: found[name] for name in COST} == COST
    assert found["steps_until_aligned"] == 12 and found["epochs"] == 2 and found["parameters"] > 1000
    shown = found["shown"]
    assert shown["said"] == shown["recognised"] == references()[3]
    assert len(shown["alignment"]) == len(shown["word_ids"]) == len(shown["said"])
    assert {len(row) for row in shown["alignment"]} == {shown["frames"]}
    assert [word for word, *_ in shown["words"]] == shown["said"].split()


def test_it_goes_on_with_what_is_there(trained, tmp_path):
    tone_words.CONFIG.save(tmp_path / "config.json")
    run_one(tone_words.CONFIG, tmp_path)
    assert trained[0][1] is True


def test_figures_that_are_no_numbers_are_left_out(trained, tmp_path, monkeypatch):
    monkeypatch.setitem(COST, "seconds_per_step", float("nan"))
    run_one(tone_words.CONFIG, tmp_path)
    assert json.loads((tmp_path / "result.json").read_text())["seconds_per_step"] is None


def test_steps_until_aligned():
    assert steps_until_aligned([epoch(0.9), epoch(0.2), epoch(0.5), epoch(0.1)], 125, True) == 250
    assert steps_until_aligned([epoch(0.9), epoch(0.3)], 125, True) is None
    assert steps_until_aligned([epoch(0.9), epoch(0.3)], 125, False) == 125


def test_the_process_ends_when_who_started_it_is_gone():
    command = [sys.executable, "-m", comparison_run.__name__]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd="/")
    process.stdin.write(b'{"config": {"dataset": "nonsense"}, "run": "/nowhere", "data_dir": null}\n')
    process.stdin.close()
    # Long before it has loaded what it would need to find out that there is no such dataset.
    assert process.wait(timeout=20) == 1
