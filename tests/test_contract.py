"""ONE contract for every scorer with every alignment function, built-in or written by a user."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_attn import Attention, alignments, scorers
from tests import contract
from tests.contract import (
    ALIGNMENTS,
    BATCH,
    PAIRS,
    QUERY_DIM,
    SCORERS,
    TQ,
    TV,
    UNNORMALIZED,
    VALUE_DIM,
    assert_close,
    assert_same,
    make,
    name_of,
    to_numpy,
)

BACKEND = keras.config.backend()

every_pair = pytest.mark.parametrize("pair", PAIRS, ids=str)
every_part = pytest.mark.parametrize(
    ("registry", "part"),
    [(scorers.registry, part) for part in SCORERS] + [(alignments.registry, part) for part in ALIGNMENTS],
    ids=[name_of(part) for part in SCORERS + ALIGNMENTS],
)


def call(layer, query, value, key, **masks):
    return layer(query, value, key, return_attention_scores=True, **masks)


# ---- the law


@every_pair
def test_call_equals_unrolled_steps(pair):
    layer, arrays = pair.layer(), pair.arrays()
    assert_close(to_numpy(call(layer, *arrays)), contract.unroll(layer, *arrays))
    # Two rows with each mask alone, then two with all of them.
    arrays, masks = pair.arrays(batch=8), {}
    for i, (name, mask) in enumerate(contract.masks().items()):
        masks[name] = np.ones((4, *mask.shape), bool)
        masks[name][i] = masks[name][3] = mask
        masks[name] = masks[name].reshape(8, *mask.shape[1:])
    for causal in (False, True):
        outputs = to_numpy(call(layer, *arrays, **masks, use_causal_mask=causal))
        assert_close(outputs, contract.unroll(layer, *arrays, **masks, use_causal_mask=causal))


@every_pair
def test_weights_are_0_where_masked_and_add_up_to_1_elsewhere(pair):
    masks = contract.masks()
    context, alignment = to_numpy(call(pair.layer(), *pair.arrays(), **masks, use_causal_mask=True))
    allowed = masks["attention_mask"] & masks["value_mask"][:, None] & np.tri(TQ, TV, dtype=bool)
    allowed &= masks["query_mask"][:, :, None]
    assert np.all(alignment[~allowed] == 0)
    assert np.all(context[~allowed.any(-1)] == 0)
    if name_of(pair.alignment) not in UNNORMALIZED:
        np.testing.assert_allclose(alignment.sum(-1), allowed.any(-1), atol=1e-5)


# ---- padding and rows with nothing to attend to


@every_pair
def test_padding_changes_nothing_whatever_stands_there(pair):
    layer, masks = pair.layer(), contract.masks()
    del masks["attention_mask"]
    padded = [masks["query_mask"], masks["value_mask"], masks["value_mask"]]

    def run(filling):
        arrays = [np.where(mask[..., None], x, filling) for x, mask in zip(pair.arrays(), padded, strict=True)]
        inputs = [keras.Variable(x, dtype="float32") for x in arrays]
        outputs = call(layer, *inputs, **masks)
        grads = contract.gradients(
            lambda: contract.weighed(call(layer, *(x.value[:] for x in inputs), **masks)),
            [*inputs, *layer.trainable_variables],
        )
        return to_numpy(outputs), grads

    outputs, grads = run(0.0)
    assert all(np.isfinite(x).all() for x in (*outputs, *grads))
    for mask, grad in zip(padded, grads, strict=False):
        assert np.all(grad[~mask] == 0)
    for filling in (np.nan, 1e30):
        assert_same((outputs, grads), run(filling))


@every_pair
def test_what_no_query_may_attend_to_may_hold_anything(pair):
    layer, (query, value, key) = pair.layer(), pair.arrays()
    mask = contract.masks()["value_mask"][:, None, :]
    expected = to_numpy(call(layer, query, value, key, attention_mask=mask))
    value, key = (np.where(mask[:, 0, :, None], x, np.float32(np.nan)) for x in (value, key))
    results = to_numpy(call(layer, query, value, key, attention_mask=mask))
    assert_same(results, expected)


@every_pair
def test_a_row_with_nothing_to_attend_to_is_0_and_harms_no_other(pair):
    layer, arrays = pair.layer(), pair.arrays()
    layer.build(*(x.shape for x in arrays))
    value_mask = np.stack([np.ones(TV, bool), np.zeros(TV, bool)])  # nothing in row 1 ...
    pairs = np.ones((BATCH, TQ, TV), bool)
    pairs[0, 1] = False  # ... nor for query 1 of row 0

    def run(rows):
        inputs = [keras.Variable(x[:rows], dtype="float32") for x in arrays]

        def outputs():
            masks = {"value_mask": value_mask[:rows], "attention_mask": pairs[:rows]}
            return call(layer, *(x.value[:] for x in inputs), **masks)

        def loss():
            return sum(contract.weighed([x[i : i + 1] for x in outputs()], seed=i) for i in range(rows))

        return to_numpy(outputs()), contract.gradients(loss, [*inputs, *layer.trainable_variables])

    outputs, grads = run(2)
    for output in outputs:
        assert np.all(output[1] == 0) and np.all(output[0, 1] == 0)
    assert all(np.all(grad[1] == 0) for grad in grads[:3])
    assert_close([grad[:1] for grad in grads[:3]] + grads[3:], run(1)[1])


@every_pair
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "mixed_bfloat16", "mixed_float16"])
def test_half_precision(pair, dtype):
    """Large scores and rows with nothing to attend to: finite, 0 where masked, adding up to 1."""
    layer, (query, value, key) = pair.layer(dtype), pair.arrays()
    inputs = [keras.Variable(x, dtype=layer.variable_dtype) for x in (50 * query, value, 50 * key)]
    layer.build(*(x.shape for x in inputs))
    mask = contract.masks()["attention_mask"]
    mask[0, 1] = mask[1] = False

    def outputs():
        return call(layer, *(x.value[:] for x in inputs), attention_mask=mask)

    context, alignment = to_numpy(outputs())
    assert np.isfinite(context).all() and np.isfinite(alignment).all()
    assert np.all(alignment[~mask] == 0) and np.all(context[~mask.any(-1)] == 0)
    if name_of(pair.alignment) not in UNNORMALIZED:
        np.testing.assert_allclose(alignment.sum(-1), mask.any(-1), atol=1e-5)
    grads = contract.gradients(lambda: contract.weighed(outputs()), [*inputs, *layer.trainable_variables])
    assert all(np.isfinite(grad).all() for grad in grads)


# ---- shapes


@every_pair
def test_symbolic_shapes_and_dtypes_equal_the_real_ones(pair):
    layer, arrays = pair.layer(), pair.arrays()
    known = [keras.Input(x.shape[1:], batch_size=len(x)) for x in arrays]
    unknown = [keras.Input((None, x.shape[-1])) for x in arrays]
    symbolic, real = call(layer, *known), call(layer, *arrays)
    assert [x.shape for x in symbolic] == [tuple(x.shape) for x in real]
    assert [x.dtype for x in symbolic] == [keras.utils.standardize_dtype(x.dtype) for x in real]
    assert [x.shape for x in call(layer, *unknown)] == [(None, None, VALUE_DIM), (None, None, None)]
    assert layer(*unknown).shape == (None, None, VALUE_DIM)


@every_pair
def test_one_layer_takes_every_length(pair):
    layer = pair.layer()
    sizes = [(2, 3, 7), (1, 1, 113), (3, 2, 1)]
    if BACKEND != "torch" or not layer.recurrent:  # keras.ops.scan takes no step of 0 on torch
        sizes.append((2, 0, 4))
    for batch, tq, tv in sizes:
        context, alignment = call(layer, *pair.arrays(batch, tq, tv))
        assert tuple(context.shape) == (batch, tq, VALUE_DIM)
        assert tuple(alignment.shape) == (batch, tq, tv)


@every_pair
def test_an_empty_memory_gives_zeros(pair):
    if name_of(pair.scorer) == "location_aware":
        pytest.skip("Conv1D of an empty sequence fails in Keras on TensorFlow")
    context, alignment = to_numpy(call(pair.layer(), *pair.arrays(tv=0)))
    assert context.shape == (BATCH, TQ, VALUE_DIM) and np.all(context == 0)
    assert alignment.shape == (BATCH, TQ, 0)


# ---- variables


class Holder(keras.Model):
    """A subclassed model around one layer, built from shapes alone."""

    def __init__(self, layer):
        super().__init__()
        self.attention = layer

    def build(self, query_shape, value_shape, key_shape):
        self.attention.build(query_shape, value_shape, key_shape)

    def call(self, query, value, key):
        return self.attention(query, value, key)


@every_pair
def test_build_alone_makes_all_variables(pair, tmp_path):
    arrays = pair.arrays()
    called, built = pair.layer(), pair.layer()
    call(called, *arrays)
    built.build(*((None, None, x.shape[-1]) for x in arrays))
    paths = [variable.path for variable in built.variables]
    assert paths == [variable.path for variable in called.variables]
    assert len(paths) == len(set(paths))
    call(built, *arrays)
    assert [variable.path for variable in built.variables] == paths


@every_pair
def test_weights_load_before_any_call(pair, tmp_path):
    arrays = pair.arrays()
    saved, loaded = Holder(pair.layer()), Holder(pair.layer())
    expected = to_numpy(saved(*arrays))
    saved.save_weights(tmp_path / "model.weights.h5")
    loaded.build(*(x.shape for x in arrays))
    loaded.load_weights(tmp_path / "model.weights.h5")
    assert_same(to_numpy(loaded(*arrays)), expected)


# ---- configuration


def arguments(cls):
    return {name for name in inspect.signature(cls).parameters if name not in ("args", "kwargs")}


@every_part
def test_config_holds_every_argument_and_gives_the_part_back(registry, part):
    member = make(registry, part)
    config = member.get_config()
    assert arguments(type(member)) <= set(config)
    json.dumps(config)
    again = type(member).from_config(config)
    assert type(again) is type(member) and again.get_config() == config


@every_part
def test_a_part_is_given_in_any_way(registry, part):
    member = make(registry, part)
    role = "scorer" if registry is scorers.registry else "alignment"
    names = [name_of(part), part.__name__] if part in registry.members.values() else []
    for given in (part, member, registry.serialize(member), keras.saving.get_registered_name(part), *names):
        layer = Attention(**{role: given})
        config = layer.get_config()
        assert type(getattr(layer, role)) is type(member)
        assert arguments(Attention) <= set(config)
        json.dumps(config)
        assert Attention.from_config(config).get_config() == config


# ---- saving


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A `.keras` file of every pair, and what each model returned."""
    folder = tmp_path_factory.mktemp("pairs")
    keras.utils.set_random_seed(0)
    outputs = {}
    for pair in PAIRS:
        model = pair.model()
        outputs[str(pair)] = to_numpy(model(pair.arrays()))
        model.save(folder / f"{pair}.keras")
    return folder, outputs


@every_pair
def test_a_saved_model_is_the_same_model(pair, saved):
    folder, outputs = saved
    model = keras.models.load_model(folder / f"{pair}.keras")
    assert_same(to_numpy(model(pair.arrays())), outputs[str(pair)])


FRESH_PROCESS = """
import sys
import keras, numpy as np
from tests import contract

folder = sys.argv[1]
outputs = {}
for pair in contract.PAIRS:
    model = keras.models.load_model(f"{folder}/{pair}.keras")
    for i, output in enumerate(contract.to_numpy(model(pair.arrays()))):
        outputs[f"{pair}/{i}"] = output
np.savez(f"{folder}/outputs.npz", **outputs)
"""


def test_saved_models_are_the_same_in_a_fresh_process(saved):
    folder, outputs = saved
    root = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    subprocess.run([sys.executable, "-c", FRESH_PROCESS, str(folder)], check=True, env=environment, cwd=folder)
    loaded = np.load(folder / "outputs.npz")
    for pair, expected in outputs.items():
        assert_same([loaded[f"{pair}/{i}"] for i in range(len(expected))], expected)


# ---- gradients


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras promotes float64 to float32 on other backends")
@every_pair
def test_gradients_equal_finite_differences(pair):
    layer, masks = pair.layer("float64"), contract.masks()
    inputs = [keras.Variable(x, dtype="float64") for x in pair.arrays(dtype="float64")]
    layer.build(*(x.shape for x in inputs))
    variables = [*inputs, *layer.trainable_variables]

    def loss():
        return contract.weighed(call(layer, *(x.value[:] for x in inputs), **masks))

    grads = contract.gradients(loss, variables)
    values = [to_numpy(variable.value).copy() for variable in variables]
    rng = np.random.default_rng(3)
    direction = [rng.normal(size=value.shape) for value in values]
    slope = sum(np.sum(grad * one) for grad, one in zip(grads, direction, strict=True))
    ends = []
    for step in (1e-6, -1e-6):
        for variable, value, one in zip(variables, values, direction, strict=True):
            variable.assign(value + step * one)
        ends.append(float(to_numpy(loss())))
    np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, slope, rtol=1e-6, atol=1e-7)


# ---- all pairs in one model: training and export in a graph, with None for batch, Tq and Tv


@pytest.fixture(scope="module")
def everything():
    """A model that returns the contexts of all pairs side by side, and its inputs."""
    keras.utils.set_random_seed(0)
    shapes = (BATCH, TQ, QUERY_DIM), (BATCH, TV, VALUE_DIM), (BATCH, TV, QUERY_DIM)
    inputs = [keras.Input((None, shape[-1])) for shape in shapes]
    outputs = keras.layers.Concatenate()([pair.layer(name=str(pair))(*inputs) for pair in PAIRS])
    return keras.Model(inputs, outputs), [np.random.normal(size=shape).astype("float32") for shape in shapes]


@pytest.mark.skipif(BACKEND == "tensorflow", reason="The export compares the same graph")
def test_a_graph_gives_what_eager_gives(everything):
    model, arrays = everything
    assert_close(model.predict(arrays, verbose=0), to_numpy(model(arrays)))


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Only TensorFlow exports a SavedModel without further packages")
def test_all_pairs_export_to_a_saved_model(everything, tmp_path):
    import tensorflow as tf

    model, arrays = everything
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    assert_close(to_numpy(loaded.serve(arrays)), to_numpy(model(arrays)))
    arrays = [np.tile(x, (2, 3, 1)) for x in arrays]
    assert_close(to_numpy(loaded.serve(arrays)), to_numpy(model(arrays)))


def test_all_pairs_train_with_the_default_compile(everything):
    model, arrays = everything
    model.compile("sgd", "mse")
    targets = np.ones((*arrays[0].shape[:2], model.output.shape[-1]), "float32")
    before = [to_numpy(variable.value).copy() for variable in model.trainable_variables]
    losses = model.fit(arrays, targets, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[1] < losses[0]
    for variable, value in zip(model.trainable_variables, before, strict=True):
        after = to_numpy(variable.value)
        assert np.isfinite(after).all() and np.any(after != value), variable.path


def test_the_parts_of_users_take_part():
    assert {contract.Bilinear, contract.product_of_means} < set(SCORERS)
    assert {contract.ForwardOnly, contract.independent_sigmoids} < set(ALIGNMENTS)
    assert len(PAIRS) == len(SCORERS) * len(ALIGNMENTS)
