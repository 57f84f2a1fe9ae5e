"""What training costs: seconds a step, and memory."""

import json
import sys
import time

import keras
import numpy as np

from demos.speech.files import write_beside

FILE = "cost.json"


class TrainingCost(keras.callbacks.Callback):
    """Write `cost.json` into the run folder after every epoch.

    It has `seconds_per_step`, the median over the steps since training began or was gone on with; `steps_per_epoch`;
    and `peak_memory`, the most bytes that the process ever held, None where the system does not tell.

    Args:
        run: `pathlib.Path` of the run folder.
    """

    def __init__(self, run):
        super().__init__()
        self.path = run / FILE
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.perf_counter() - self._start)

    def on_epoch_end(self, epoch, logs=None):
        before = json.loads(self.path.read_text())["peak_memory"] if self.path.exists() else None
        cost = {
            "seconds_per_step": float(np.median(self.seconds)),
            "steps_per_epoch": self.params["steps"],
            "peak_memory": max(filter(None, (before, peak_memory())), default=None),
        }
        with write_beside(self.path) as beside:
            beside.write_text(json.dumps(cost))


def peak_memory():
    """The most bytes that this process ever held; None on systems that do not tell."""
    try:
        import resource
    except ModuleNotFoundError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
