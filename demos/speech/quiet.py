"""Starting TensorFlow: without what it says of itself on standard error, and with threads that suit small loops."""

import contextlib
import os
import sys


def load_tensorflow():
    """Import TensorFlow, and Keras on top of it, silently. Errors are still raised as exceptions."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("MPLBACKEND", "Agg")
    if "tensorflow" in sys.modules:
        return
    with silence():
        import tensorflow
    # A step of an LSTM is too small to be worth sharing out. Two loops side by side, one for each direction, with half
    # of the cores each, make a training step 1.4 times as fast on two cores.
    tensorflow.config.threading.set_inter_op_parallelism_threads(2)
    tensorflow.config.threading.set_intra_op_parallelism_threads(max(1, (os.cpu_count() or 1) // 2))
    import absl.logging

    absl.logging.set_verbosity(absl.logging.ERROR)


@contextlib.contextmanager
def silence():
    """Nothing reaches standard error, not even what libraries in C write."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
