"""What a newcomer does, from the outside: train, save, load in another process; and what an import costs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_attn import Attention, scorers

ROOT = Path(__file__).parents[1]

OWN_SCORER = """
import keras
from keras import ops
from keras_attn.scorers import Scorer

@keras.saving.register_keras_serializable(package="mine")
class Distance(Scorer):
    def build(self, query_shape, key_shape):
        self.sharpness = self.add_weight(name="sharpness", initializer="ones")

    def score(self, query, memory, state):
        difference = query[:, :, None, :] - memory["key"][:, None, :, :]
        return -self.sharpness * ops.sum(ops.square(difference), axis=-1)
"""

LOAD = """
import sys
import keras, numpy as np
import {module}

arrays = np.load("arrays.npz")
model = keras.models.load_model("model.keras")
context, alignment = model([arrays["query"], arrays["value"]])
np.savez("outputs.npz", context=keras.ops.convert_to_numpy(context), alignment=keras.ops.convert_to_numpy(alignment))
"""


def python(code, folder, *options):
    """Run code in a fresh process in `folder`, where its modules are found; its standard error."""
    paths = [str(folder), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def own_scorer(tmp_path, monkeypatch):
    """A scorer in a module of the user's."""
    (tmp_path / "own_scorer.py").write_text(OWN_SCORER, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import own_scorer

    yield own_scorer.Distance
    del sys.modules["own_scorer"]


@pytest.mark.parametrize("module", ["keras_attn", "own_scorer"])
def test_a_model_loads_in_a_fresh_process_without_custom_objects(module, own_scorer, tmp_path, rng):
    scorer = scorers.LocationAware(units=8) if module == "keras_attn" else own_scorer()
    query, value = (keras.Input((None, 4)) for _ in range(2))
    context, alignment = Attention(scorer)(query, value, return_attention_scores=True)
    model = keras.Model([query, value], [keras.layers.Dense(2)(context), alignment])
    model.compile("adam", ["mse", None])
    arrays = {name: rng.normal(size=(2, t, 4)).astype("float32") for name, t in (("query", 3), ("value", 5))}
    before = [weight.copy() for weight in model.get_weights()]
    model.fit(list(arrays.values()), [np.ones((2, 3, 2), "float32"), None], epochs=2, verbose=0)
    assert all(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))

    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "arrays.npz", **arrays)
    python(LOAD.format(module=module), tmp_path)
    outputs = np.load(tmp_path / "outputs.npz")
    for name, expected in zip(("context", "alignment"), model(list(arrays.values())), strict=True):
        np.testing.assert_array_equal(outputs[name], keras.ops.convert_to_numpy(expected))


def test_importing_the_package_is_cheap(tmp_path, record_property):
    """Time over that of Keras, the best of three; only what is loaded is certain enough to be asserted."""
    code = (
        "import keras, sys; before = set(sys.modules); import keras_attn; "
        "assert not {'tensorflow_datasets', 'librosa', 'matplotlib', 'demos'} & set(sys.modules) - before"
    )
    times = []
    for _ in range(3):
        report = python(code, tmp_path, "-X", "importtime")
        (line,) = re.findall(r"^import time:\s+\d+ \|\s+(\d+) \| keras_attn$", report, re.MULTILINE)
        times.append(int(line) / 1e6)
    record_property("seconds", min(times))
    print(f"import keras_attn adds {min(times):.3f} s to import keras")
