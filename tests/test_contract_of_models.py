"""ONE contract for every scorer with every alignment function: variables, configurations, saving and graphs."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_attn import Attention
from tests import contract
from tests.backends import (
    assert_close,
    assert_same,
    compiled_by_xla,
    fast,
    to_numpy,
)
from tests.contract import BATCH, PAIRS, TQ
from tests.contract_cases import by_scorer, caller, every_pair, every_part, only_tensorflow


@pytest.fixture(autouse=True)
def parts_of_the_readme():
    """Their registered names stand for them, although the test of the README registers its own."""
    keras.saving.get_custom_objects().update(contract.USERS)


# ---- variables


@every_pair
def test_build_alone_makes_all_variables_and_they_load_before_any_call(pair, tmp_path):
    layer, called = pair.built(), pair.layer()
    paths = [variable.path for variable in layer.variables]
    assert len(paths) == len(set(paths))
    called(*(keras.Input((None, dim)) for dim in pair.dims))
    fast(caller(layer))(*pair.arrays())
    assert paths == [variable.path for variable in layer.variables]
    assert unnumbered(paths) == unnumbered(variable.path for variable in called.variables)
    Holder(called).save_weights(tmp_path / "model.weights.h5")
    Holder(layer).load_weights(tmp_path / "model.weights.h5")
    assert_same(layer.get_weights(), called.get_weights())


def unnumbered(paths):
    """Paths without the numbers that Keras appends to the names of a second layer of a class, and so on."""
    return [re.sub(r"_\d+(?=/)", "", path) for path in paths]


class Holder(keras.Model):
    """A subclassed model around one layer that is built."""

    def __init__(self, layer):
        super().__init__()
        self.attention = layer
        self.built = True


# ---- configuration


def arguments(cls):
    return {name for name in inspect.signature(cls).parameters if name not in ("args", "kwargs")}


@every_part
def test_config_holds_every_argument_and_gives_the_part_back(part):
    member = part.make()
    config = member.get_config()
    assert arguments(type(member)) <= set(config)
    json.dumps(config)
    again = type(member).from_config(config)
    assert type(again) is type(member) and again.get_config() == config


@every_part
def test_a_part_is_given_in_any_way(part):
    member = part.make()
    partner = {"scorer": "gaussian_mixture"} if str(part) == "exponential" else {}
    names = [str(part), part.given.__name__] if part.given in part.registry.members.values() and not part.name else []
    serialized = part.registry.serialize(member)
    for given in (part.given, member, serialized, keras.saving.get_registered_name(part.given), *names):
        layer = Attention(**partner, **{part.role: given})
        config = layer.get_config()
        assert type(getattr(layer, part.role)) is type(member)
        assert arguments(Attention) <= set(config)
        json.dumps(config)
        assert Attention.from_config(config).get_config() == config


# ---- saving


FRESH_PROCESS = """
import sys
import keras, numpy as np
from tests import backends, contract

for scorer, pairs in contract.by_scorer(contract.PAIRS).items():
    model = keras.models.load_model(f"{sys.argv[1]}/{scorer}.keras")
    np.savez(f"{sys.argv[1]}/{scorer}.npz", *backends.fast(model)(contract.inputs_of_model(pairs)))
"""


def test_saved_models_are_the_same_in_a_fresh_process(tmp_path):
    expected = {}
    for scorer, pairs in contract.by_scorer(PAIRS).items():
        model = contract.model(pairs)
        expected[scorer] = fast(model)(contract.inputs_of_model(pairs))
        model.save(tmp_path / f"{scorer}.keras")
    root = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    subprocess.run([sys.executable, "-c", FRESH_PROCESS, str(tmp_path)], check=True, env=environment, cwd=tmp_path)
    for scorer, pairs in contract.by_scorer(PAIRS).items():
        loaded = np.load(tmp_path / f"{scorer}.npz")
        for i, (output, pair) in enumerate(zip(expected[scorer], np.repeat(pairs, 2), strict=True)):
            assert_same(loaded[f"arr_{i}"], output, str(pair))


# ---- compiled, exported and in training


@only_tensorflow(reason="JAX compiles in every test, Keras on torch in none")
@every_pair
def test_compiled_by_xla_a_call_gives_the_same(pair):
    layer, arrays = pair.built(), pair.arrays()
    function = caller(layer, **contract.masks())
    assert_close(compiled_by_xla(function)(*arrays), fast(function)(*arrays))


@only_tensorflow(reason="Only TensorFlow exports a SavedModel without further packages")
@by_scorer(PAIRS)
def test_pairs_export_to_a_saved_model(pairs, tmp_path):
    import tensorflow as tf

    model = contract.model(pairs)
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    for repeats in (1, 2):
        inputs = contract.inputs_of_model(pairs, repeats)
        outputs = zip(loaded.serve(inputs), model(inputs), np.repeat(pairs, 2), strict=True)
        for exported, expected, pair in outputs:
            assert_close(to_numpy(exported), to_numpy(expected), what=str(pair))


@by_scorer(contract.FEW_PAIRS)
def test_pairs_train_with_the_default_compile(pairs):
    model, inputs = contract.model(pairs), contract.inputs_of_model(pairs)
    contexts = keras.layers.Concatenate()(model.outputs[::2])
    model = keras.Model(model.inputs, keras.layers.Dense(1)(contexts))
    model.compile("adam", "mse")
    targets = np.ones((BATCH, TQ, 1), "float32")
    before = [variable.numpy().copy() for variable in model.trainable_variables]
    losses = model.fit(inputs, targets, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    for variable, value in zip(model.trainable_variables, before, strict=True):
        after = variable.numpy()
        assert np.isfinite(after).all() and np.any(after != value), variable.path
