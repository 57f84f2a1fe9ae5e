"""Settings that all tests and examples share. Comes before the first import of Keras."""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # warnings and errors alone
os.environ.setdefault("MPLBACKEND", "Agg")  # no window
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the arrays are small: threads of torch would wait for each other
if os.environ["KERAS_BACKEND"] == "jax":  # Graphs that run once: compile them quickly rather than well.
    flags = ["backend_optimization_level=0", "llvm_disable_expensive_passes=true"]
    flags += ["cpu_use_fusion_emitters=false", "cpu_parallel_codegen_split_count=1"]
    os.environ.setdefault("XLA_FLAGS", " ".join(f"--xla_{flag}" for flag in flags))
# No test reads or writes the datasets of whoever runs it.
os.environ["TFDS_DATA_DIR"] = tempfile.mkdtemp(prefix="keras_attn_datasets_")

import keras
import numpy as np
import pytest

atexit.register(shutil.rmtree, os.environ["TFDS_DATA_DIR"], ignore_errors=True)


@pytest.fixture(autouse=True)
def fresh_start(request):
    """Every test and example starts from the same seeds; an example also counts its layers from the start."""
    if isinstance(request.node, pytest.DoctestItem):
        keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


@pytest.fixture
def rng():
    """A NumPy generator of random numbers with a fixed seed."""
    return np.random.default_rng(0)
