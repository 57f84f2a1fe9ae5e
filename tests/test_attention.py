import inspect

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.alignments import Softmax
from tests.contract import assert_close, assert_same, to_numpy

BACKEND = keras.config.backend()
VALUE_MASK = np.array([[True, True, True, True, False], [True, False, True, False, False]])
QUERY_MASK = np.array([[True, True, True], [False, True, True]])
SCORERS = ["general", "location_aware"]  # without a loop and with one


@pytest.fixture
def arrays(rng):
    """Query, value and key with all dims equal, so that every scorer takes them."""
    return [rng.normal(size=(2, t, 4)).astype("float32") for t in (3, 5, 5)]


def run(layer, *args, **kwargs):
    return to_numpy(layer(*args, return_attention_scores=True, **kwargs))


# ---- calls


@pytest.mark.parametrize("scorer", SCORERS)
def test_separate_arguments_and_the_list_form_are_the_same(arrays, scorer):
    query, value, key = arrays
    layer = Attention(scorer)
    names = {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK}
    assert_same(run(layer, query, value), run(layer, [query, value]))
    assert_same(run(layer, query, value), run(layer, query, value, value))
    assert_same(run(layer, query, value, key), run(layer, (query, value, key)))
    expected = run(layer, query, value, key, **names)
    assert_same(expected, run(layer, [query, value, key], mask=[QUERY_MASK, VALUE_MASK]))
    assert_same(expected, run(layer, [query, value, key], mask=[None, VALUE_MASK], query_mask=QUERY_MASK))
    assert_same(expected, run(layer, [query, value, key], **names))
    assert_same(expected, run(layer, query, value, key, mask=[QUERY_MASK, VALUE_MASK]))
    # By name comes before the list.
    other = np.ones_like(VALUE_MASK)
    assert_same(expected, run(layer, [query, value, key], mask=[QUERY_MASK, other], value_mask=VALUE_MASK))
    pairs = np.random.default_rng(1).random((2, 3, 5)) < 0.5
    expected = run(layer, query, value, attention_mask=pairs)
    assert_same(expected, run(layer, [query, value], attention_mask=pairs))


def test_key_mask_and_value_mask_hold_together(arrays):
    key_mask = np.array([[True] * 3 + [False] * 2] * 2)
    expected = run(Attention("dot"), *arrays, value_mask=VALUE_MASK & key_mask)
    assert_same(expected, run(Attention("dot"), *arrays, value_mask=VALUE_MASK, key_mask=key_mask))
    assert_same(expected, run(Attention("dot"), arrays, mask=[None, VALUE_MASK, key_mask]))


def test_one_tensor_attends_to_itself(arrays):
    query = arrays[0]
    layer = Attention("location_aware")
    assert_same(run(layer, query), run(layer, query, query))
    expected = run(layer, query, query, query_mask=QUERY_MASK, value_mask=QUERY_MASK)
    assert_same(expected, run(layer, query, mask=QUERY_MASK))
    assert_same(expected, run(layer, query, query_mask=QUERY_MASK))


def test_arguments_have_the_names_and_the_order_of_multi_head_attention():
    theirs = [name for name in inspect.signature(keras.layers.MultiHeadAttention.call).parameters if name != "kwargs"]
    ours = list(inspect.signature(Attention.call).parameters)
    assert ours[: len(theirs)] == theirs


def test_equals_keras_attention(arrays):
    query, value, key = arrays
    theirs = keras.layers.Attention()
    for masks in ([None, None], [QUERY_MASK, VALUE_MASK]):
        for causal in (False, True):
            expected = theirs([query, value, key], mask=masks, use_causal_mask=causal, return_attention_scores=True)
            context, alignment = to_numpy(expected)
            if masks[0] is not None:  # Keras zeroes the context of a masked query, but not its alignment.
                alignment = alignment * QUERY_MASK[:, :, None]
            results = run(Attention("dot"), [query, value, key], mask=masks, use_causal_mask=causal)
            assert_close(results, (context, alignment))


def test_equals_multi_head_attention_with_one_head_and_no_projection(arrays):
    theirs = keras.layers.MultiHeadAttention(1, 4, use_bias=False)
    theirs(*arrays)
    theirs.set_weights([np.eye(4).reshape(weight.shape) for weight in theirs.weights])
    context, alignment = theirs(*arrays, value_mask=VALUE_MASK, use_causal_mask=True, return_attention_scores=True)
    results = run(Attention("scaled_dot"), *arrays, value_mask=VALUE_MASK, use_causal_mask=True)
    assert_close(results, (to_numpy(context), to_numpy(alignment)[:, 0]))


# ---- errors


@pytest.mark.parametrize("symbolic", [False, True])
def test_wrong_ranks_are_named(arrays, symbolic):
    def tensor(*shape):
        return keras.Input(shape[1:], batch_size=shape[0]) if symbolic else np.ones(shape, "float32")

    layer = Attention("dot")
    message = r"Expected query \(batch, Tq, query_dim\), .*query.shape=\(2, 4\), value.shape=\(2, 5, 4\)"
    with pytest.raises(ValueError, match=message):
        layer(tensor(2, 4), tensor(2, 5, 4))
    with pytest.raises(ValueError, match=r"key.shape=\(2, 5, 4, 1\)"):
        layer([tensor(2, 3, 4), tensor(2, 5, 4), tensor(2, 5, 4, 1)])
    message = r"attention_mask of shape .*\(batch, Tv\)\. Received: attention_mask.shape=\(2, 1, 3, 5\)"
    with pytest.raises(ValueError, match=message):
        layer(tensor(2, 3, 4), tensor(2, 5, 4), attention_mask=tensor(2, 1, 3, 5))
    with pytest.raises(ValueError, match=r"Expected Attention\(\)\(query, value\), .*Received: a list of 1"):
        layer([tensor(2, 3, 4)])
    with pytest.raises(ValueError, match=r"Received: a list of 2 and value="):
        layer([tensor(2, 3, 4), tensor(2, 5, 4)], tensor(2, 5, 4))


# ---- scores on demand


@pytest.mark.parametrize("scorer", SCORERS)
def test_each_call_honours_its_own_flag(arrays, scorer, tmp_path):
    layer = Attention(scorer)
    for flag in (True, False, True):
        outputs = layer(*arrays, return_attention_scores=flag)
        assert isinstance(outputs, tuple) is flag
    inputs = [keras.Input((None, 4)) for _ in range(2)]
    # In this order: in the other one, Keras loses the second output, of its own layers too.
    context_again, alignment = layer(*inputs, return_attention_scores=True)
    context = layer(*inputs)
    model = keras.Model(inputs, {"context": context, "again": context_again, "alignment": alignment})
    model.compile("sgd", {"context": "mse", "alignment": "mse"})
    query, value, _ = arrays
    targets = {"context": np.zeros((2, 3, 4), "float32"), "alignment": np.zeros((2, 3, 5), "float32")}
    model.fit([query, value], targets, verbose=0)
    model.save(tmp_path / "model.keras")
    expected = to_numpy(model([query, value]))
    assert expected["alignment"].shape == (2, 3, 5)
    assert_same(expected["context"], expected["again"])
    assert_same(to_numpy(keras.models.load_model(tmp_path / "model.keras")([query, value])), expected)


# ---- graphs, training, saving


def test_layers_that_loop_opt_out_of_xla_where_it_compiles_them_anew_for_every_length():
    assert Attention("dot").supports_jit
    assert Attention("location_aware").supports_jit is (BACKEND != "tensorflow")


@pytest.mark.parametrize("scorer", SCORERS)
def test_dropout_of_the_alignment_trains_and_differs_from_call_to_call(arrays, scorer):
    query, value, _ = arrays
    inputs = [keras.Input((None, 4)) for _ in range(2)]
    layer = Attention(scorer, Softmax(dropout=0.5, seed=1))
    model = keras.Model(inputs, keras.layers.Dense(4)(layer(*inputs)))
    model.compile("sgd", "mse")
    losses = model.fit([query, value], np.ones_like(query), epochs=3, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and len(set(losses)) == 3
    first, second = (to_numpy(layer(query, value, training=True)) for _ in range(2))
    assert np.any(first != second)
    assert_same(*(to_numpy(layer(query, value, training=False)) for _ in range(2)))
    # Inside one call, every query drops its own weights.
    _, alignment = run(layer, np.repeat(query[:, :1], 200, axis=1), value, training=True)
    assert 0.4 < np.mean(alignment == 0) < 0.6
    assert len(np.unique(alignment[0] == 0, axis=0)) > 10


@keras.saving.register_keras_serializable(package="test_attention")
class Subclassed(keras.Model):
    def __init__(self, scorer="additive", **kwargs):
        super().__init__(**kwargs)
        self.attention = Attention(scorer)
        self.dense = keras.layers.Dense(2)

    def build(self, shape):
        self.attention.build(shape, shape)
        self.dense.build(shape)

    def call(self, x):
        return self.dense(self.attention(x, x))

    def get_config(self):
        return {**super().get_config(), "scorer": keras.saving.serialize_keras_object(self.attention.scorer)}


def functional(scorer):
    x = keras.Input((None, 4))
    return keras.Model(x, keras.layers.Dense(2)(Attention(scorer)(x, x)))


def sequential(scorer):
    return keras.Sequential([keras.Input((None, 4)), Attention(scorer), keras.layers.Dense(2)])


@pytest.mark.parametrize("make_model", [sequential, functional, Subclassed])
@pytest.mark.parametrize("scorer", SCORERS)
def test_models_train_save_and_load(arrays, scorer, make_model, tmp_path):
    x = arrays[1]
    model = make_model(scorer)
    model.compile("adam", "mse")
    model.fit(x, np.ones((2, 5, 2), "float32"), verbose=0)
    expected = to_numpy(model(x))
    model.save(tmp_path / "model.keras")
    assert_same(to_numpy(keras.models.load_model(tmp_path / "model.keras")(x)), expected)
    model.save_weights(tmp_path / "model.weights.h5")
    other = make_model(scorer)
    if not other.built:
        other.build(x.shape)
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same(to_numpy(other(x)), expected)


def test_paths_are_unique_in_a_model_with_several_layers_and_a_shared_scorer():
    x = keras.Input((None, 4))
    shared = Attention("additive").scorer
    y = Attention(shared)(Attention(shared)(Attention("additive")(Attention("additive")(x))))
    paths = [variable.path for variable in keras.Model(x, y).variables]
    assert len(paths) == len(set(paths)) == 12


def test_a_step_reads_like_a_call_in_mixed_precision(arrays):
    query, value, _ = arrays
    layer = Attention("location_aware", dtype="mixed_bfloat16")
    context, alignment = run(layer, query, value)
    memory = layer.prepare(value)
    first, state = layer.step(query[:, 0], memory, layer.initial_state(memory))
    assert keras.utils.standardize_dtype(first.dtype) == "bfloat16"
    assert keras.utils.standardize_dtype(state["alignment"].dtype) == "float32"
    assert_close((to_numpy(first), to_numpy(state["alignment"])), (context[:, 0], alignment[:, 0]), 0.05)


def test_the_memory_is_made_of_tensors_whose_first_axis_is_the_batch(arrays):
    for scorer in ("dot", "additive", "location_aware"):
        layer = Attention(scorer)
        layer.build((2, 3, 4), (2, 5, 4))
        memory = layer.prepare(arrays[1], mask=VALUE_MASK)
        for tensor in keras.tree.flatten([memory, layer.initial_state(memory)]):
            assert tensor.shape[0] == 2
        # ... so that a beam search repeats and gathers them.
        twice = keras.tree.map_structure(lambda x: ops.repeat(x, 2, axis=0), memory)
        context, _ = layer.step(np.repeat(arrays[0][:, 0], 2, axis=0), twice, layer.initial_state(twice))
        single, _ = layer.step(arrays[0][:, 0], memory, layer.initial_state(memory))
        assert_close(to_numpy(context), np.repeat(to_numpy(single), 2, axis=0), 1e-6)
