"""TensorFlow without what it says of itself on standard error when it starts."""

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
    with _silence():
        import tensorflow  # noqa: F401
    import absl.logging

    absl.logging.set_verbosity(absl.logging.ERROR)


@contextlib.contextmanager
def _silence():
    """Nothing reaches standard error, not even what libraries in C write."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
