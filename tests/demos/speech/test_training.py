"""Training: a run from start to end, the same again from the same seed, and the same after a kill."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from demos.speech import corpora, training
from demos.speech.config import Config
from tests.demos.speech.tones import TINY, Tones, random_texts

ROOT = Path(__file__).parents[3]
EPOCHS = TINY.training.epochs


def tiny_corpus(*_):
    return Tones(random_texts(12, seed=1), random_texts(4, seed=2))


@pytest.fixture(autouse=True)
def corpus(monkeypatch):
    monkeypatch.setitem(corpora._CORPORA, "tones", tiny_corpus)


def history(run):
    return json.loads((run / "state" / "history.json").read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody killed."""
    run = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(corpora._CORPORA, "tones", tiny_corpus)
        training.train(TINY, run, verbose=0)
    return run


def test_a_run_leaves_what_it_says(whole):
    assert Config.load(whole / "config.json") == TINY
    assert sorted(path.name for path in whole.iterdir()) == ["config.json", "logs", "model.keras", "plots", "state"]
    assert sorted(path.name for path in (whole / "state").iterdir()) == [f"epoch_{EPOCHS}", "history.json"]
    assert not list(whole.rglob(".writing-*"))
    assert sorted(path.name for path in (whole / "plots").iterdir()) == [f"epoch_{i:02d}" for i in range(1, EPOCHS + 1)]


def test_the_history_has_every_epoch_and_the_loss_falls(whole):
    logs = history(whole)
    assert len(logs) == EPOCHS
    names = {"loss", "accuracy", "speller_loss", "ctc_loss"}
    errors = {"val_wer", "val_cer", "val_sharpness", "val_monotonicity"}
    assert set(logs[0]) == names | {f"val_{name}" for name in names} | errors
    assert logs[-1]["loss"] < logs[0]["loss"] and logs[-1]["val_loss"] < logs[0]["val_loss"]


def test_the_best_model_is_kept(whole):
    logs = history(whole)
    best = min(range(EPOCHS), key=lambda epoch: (logs[epoch]["val_wer"], logs[epoch]["val_loss"]))
    model = keras.saving.load_model(whole / "model.keras")
    assert model.optimizer.iterations == 3 * (best + 1)
    assert model.vocabulary.characters == "abcd"


KILLED = """
import os, signal, sys
from pathlib import Path
from demos.speech import corpora, training
from demos.speech.callbacks import EpochNumber
from tests.demos.speech.test_training import tiny_corpus
from tests.demos.speech.tones import TINY

def on_train_batch_end(self, batch, logs=None):
    if self.batches.epoch == 1 and batch == 1:
        os.kill(os.getpid(), signal.SIGKILL)

EpochNumber.on_train_batch_end = on_train_batch_end
corpora._CORPORA["tones"] = tiny_corpus
training.train(TINY, Path(sys.argv[1]), verbose=0)
"""


def test_killed_in_the_middle_of_an_epoch_and_resumed_equals_not_killed(whole, tmp_path):
    run = tmp_path / "run"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(run)], env=environment, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    assert history(run) == history(whole)[:1]  # the same seed, in another process
    training.train(None, run, resume=True, verbose=0)
    assert history(run) == history(whole)
    models = [keras.saving.load_model(folder / "model.keras") for folder in (run, whole)]
    for one, other in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(one, other)
