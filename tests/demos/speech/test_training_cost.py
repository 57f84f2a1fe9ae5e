"""What a training costs."""

import json

from demos.speech import training_cost
from demos.speech.training_cost import TrainingCost


def trained(run, monkeypatch, seconds, memory):
    """The cost of a process whose steps take some seconds and that holds so much memory."""
    clock = iter(time for step in seconds for time in (0.0, step))
    monkeypatch.setattr(training_cost.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(training_cost, "peak_memory", lambda: memory)
    callback = TrainingCost(run)
    callback.set_params({"steps": len(seconds)})
    for batch in range(len(seconds)):
        callback.on_train_batch_begin(batch)
        callback.on_train_batch_end(batch)
    callback.on_epoch_end(0)
    return json.loads((run / "cost.json").read_text())


def test_the_first_step_in_which_the_graph_is_made_counts_for_little(tmp_path, monkeypatch):
    cost = trained(tmp_path, monkeypatch, [30.0, 0.25, 0.5, 0.25, 0.125], 1000)
    assert cost == {"seconds_per_step": 0.25, "steps_per_epoch": 5, "peak_memory": 1000}


def test_the_peak_is_that_of_all_processes_that_took_part(tmp_path, monkeypatch):
    trained(tmp_path, monkeypatch, [0.5], 1000)
    assert trained(tmp_path, monkeypatch, [0.25], 400) == {
        "seconds_per_step": 0.25,
        "steps_per_epoch": 1,
        "peak_memory": 1000,
    }
    assert trained(tmp_path, monkeypatch, [0.25], None)["peak_memory"] == 1000
    (tmp_path / "cost.json").unlink()
    assert trained(tmp_path, monkeypatch, [0.25], None)["peak_memory"] is None


def test_the_peak_is_in_bytes():
    before = training_cost.peak_memory()
    held = bytearray(b"x") * 300_000_000
    assert before + 2.5e8 < training_cost.peak_memory() < 1e12 or before > 3e9
    del held
