"""Training: a run from start to end, the same again from the same seed, and the same after a kill."""

import collections
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from demos.speech import corpora, files, training
from demos.speech.callbacks import RunState
from demos.speech.config import Config
from demos.speech.errors import UserError
from demos.speech.model import ListenAttendSpell
from demos.speech.training_cost import TrainingCost
from tests.demos.speech.event_files import summaries
from tests.demos.speech.tones import TINY, VOCABULARY, Tones, random_texts

ROOT = Path(__file__).parents[3]
CONFIG = TINY.replace(listener={"levels": 1})
EPOCHS = CONFIG.training.epochs


def install(monkeypatch):
    """A corpus of 12 utterances to train on and 4 for validation; no figures, which cost more than the training."""
    corpus = Tones(random_texts(12, seed=1), [*random_texts(3, seed=2), "a d"])
    monkeypatch.setitem(corpora._CORPORA, "tones", lambda name, data_dir: corpus)
    monkeypatch.setattr(training, "AlignmentPlots", lambda *_: keras.callbacks.Callback())


@pytest.fixture(autouse=True)
def corpus(monkeypatch):
    install(monkeypatch)


def history(run):
    return json.loads((run / "state" / "history.json").read_text())


@pytest.fixture(scope="module")
def traces():
    return collections.Counter()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, traces):
    """A run that nobody killed."""
    run = tmp_path_factory.mktemp("whole") / "a" / "run"
    compute_loss = ListenAttendSpell.compute_loss

    def counted(self, *arguments, training=True, **options):
        traces["training" if training else "validation"] += 1
        return compute_loss(self, *arguments, training=training, **options)

    with pytest.MonkeyPatch.context() as monkeypatch:
        install(monkeypatch)
        monkeypatch.setattr(ListenAttendSpell, "compute_loss", counted)
        assert training.train(CONFIG, run, verbose=0, callbacks=[TrainingCost(run)]) == run / "model.keras"
    return run


def test_a_run_leaves_what_it_says(whole):
    assert Config.load(whole / "config.json") == CONFIG
    assert {path.name for path in whole.iterdir()} == {"config.json", "cost.json", "logs", "model.keras", "state"}
    assert len(list((whole / "state").iterdir())) == 2  # history.json, and what belongs to the last epoch
    assert not list(whole.rglob(".writing-*"))


def test_the_history_has_every_epoch_and_the_loss_falls(whole):
    logs = history(whole)
    assert len(logs) == EPOCHS
    names = {"loss", "accuracy", "speller_loss", "ctc_loss"}
    errors = {"val_wer", "val_cer", "val_sharpness", "val_monotonicity"}
    errors |= {"val_mass_inside", "val_alignment_error_rate"}
    assert set(logs[0]) - {"val_boundary_error_ms"} == names | {f"val_{name}" for name in names} | errors
    assert logs[-1]["loss"] < logs[0]["loss"] and logs[-1]["val_loss"] < logs[0]["val_loss"]


def test_tensorboard_shows_the_alignment_beside_the_losses(whole):
    shown = summaries(whole / "logs")
    measures = {"loss", "wer", "sharpness", "monotonicity", "mass_inside", "alignment_error_rate"}
    for name in measures:
        logged = [(epoch, logs[f"val_{name}"]) for epoch, logs in enumerate(history(whole))]
        np.testing.assert_allclose(shown["validation", f"epoch_{name}"], logged, rtol=1e-6)
    # Twelve steps in all.
    ((step, loss),) = shown["steps", "step_loss"]
    assert step == 10 and 0 < loss < 10


def test_what_it_cost(whole):
    cost = json.loads((whole / "cost.json").read_text())
    assert cost["steps_per_epoch"] == 3 and 0 < cost["seconds_per_step"] < 5
    # TensorFlow alone takes more than the lower one.
    assert 1e8 < cost["peak_memory"] < 1e11


def test_one_graph_serves_all_batches_of_all_epochs(whole, traces):
    assert traces == {"training": 1, "validation": 1}


def test_the_best_model_is_kept_with_all_letters(whole):
    logs = history(whole)
    best = min(range(EPOCHS), key=lambda epoch: logs[epoch]["val_loss"])
    model = keras.saving.load_model(whole / "model.keras")
    assert model.optimizer.iterations == 3 * (best + 1)
    assert model.vocabulary == VOCABULARY  # the blank is in the validation texts alone


KILLED = """
import os, signal, sys
from pathlib import Path
import pytest
from demos.speech import training
from demos.speech.callbacks import EpochNumber
from tests.demos.speech.test_training import CONFIG, install

def on_train_batch_end(self, batch, logs=None):
    if self.batches.epoch == 1 and batch == 1:
        os.kill(os.getpid(), signal.SIGKILL)

EpochNumber.on_train_batch_end = on_train_batch_end
install(pytest.MonkeyPatch())
training.train(CONFIG, Path(sys.argv[1]), verbose=0)
"""


def test_killed_in_the_middle_of_an_epoch_and_resumed_equals_not_killed(whole, tmp_path):
    run = tmp_path / "run"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(run)], env=environment, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    assert history(run) == history(whole)[:1]  # the same seed, in another process
    (run / "state" / ".writing-what-a-kill-may-leave").mkdir()
    training.train(None, run, resume=True, verbose=0)
    assert history(run) == history(whole)
    assert not list(run.rglob(".writing-*"))
    models = [keras.saving.load_model(folder / "model.keras") for folder in (run, whole)]
    for one, other in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_that_is_finished_is_left_alone(whole, monkeypatch):
    def state():
        return {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.name != "config.json"}

    before = state()
    monkeypatch.setattr(keras.Model, "fit", None)
    assert training.train(None, whole, resume=True) == whole / "model.keras"
    assert state() == before and Config.load(whole / "config.json") == CONFIG


def test_folders_that_cannot_be_that_of_the_run(tmp_path):
    CONFIG.save(tmp_path / "config.json")
    with pytest.raises(UserError, match="holds a run already: go on with --resume"):
        training.train(CONFIG, tmp_path)
    with pytest.raises(UserError, match="There is no run to resume in .*/empty"):
        training.train(None, tmp_path / "empty", resume=True)
    with pytest.raises(UserError, match="^Cannot write .*config.json/run/config.json: "):
        training.train(CONFIG, tmp_path / "config.json" / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json"]


def small_model():
    """A model with everything that a run has to resume: weights, an optimizer and random numbers."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dropout(0.5)])
    model.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def train_step(model):
    model.train_on_batch(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"))
    return variables(model)


def variables(model):
    both = [*model.variables, *model.optimizer.variables]
    return [np.array(variable) for variable in both if "metric" not in variable.path]


def logs(loss):
    return {"val_loss": loss}


def resumed(run):
    """The state that is found in a run folder, and the variables of a new model that it is given to."""
    state, model = RunState(run, patience=2), small_model()
    state.set_model(model)
    return state, variables(model) if state.restore(model) else None


class KilledError(BaseException):
    pass


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_while_the_state_is_written_leaves_the_one_before(tmp_path, monkeypatch, renames):
    model, state = small_model(), RunState(tmp_path, patience=2)
    state.set_model(model)
    first = train_step(model)
    state.on_epoch_end(0, logs(0.5))
    second = train_step(model)
    calls, replace = [], os.replace

    def kill(*paths):
        if len(calls) == renames:
            raise KilledError
        calls.append(paths)
        replace(*paths)

    with monkeypatch.context() as dying:
        dying.setattr(files.os, "replace", kill)
        dying.setattr(files.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KilledError):
            state.on_epoch_end(1, logs(0.4))
    assert list(tmp_path.rglob(".writing-*"))
    after, found = resumed(tmp_path)
    assert after.epochs == 1
    for one, other in zip(found, first, strict=True):
        np.testing.assert_array_equal(one, other)
    # And from there it goes on.
    again = train_step(after.model)
    after.on_epoch_end(1, logs(0.4))
    after, found = resumed(tmp_path)
    assert after.epochs == 2 and keras.saving.load_model(tmp_path / "model.keras").optimizer.iterations == 2
    for one, two, three in zip(found, again, second, strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(two, three)


def test_the_best_is_kept_and_patience_ends(tmp_path):
    state = RunState(tmp_path, patience=2)
    state.set_model(small_model())
    assert resumed(tmp_path)[1] is None and not state.stopped
    for epoch, loss in enumerate((math.nan, 0.5, 0.4, 0.4, math.nan)):
        train_step(state.model)
        state.on_epoch_end(epoch, logs(loss))
        assert state.best_epoch == [0, 1, 2, 2, 2][epoch]
        assert state.model.stop_training == state.stopped == (epoch == 4)
    assert keras.saving.load_model(tmp_path / "model.keras").optimizer.iterations == 3
    assert resumed(tmp_path)[0].stopped and resumed(tmp_path)[0].finished(100)
    assert len(list((tmp_path / "state").iterdir())) == 2
