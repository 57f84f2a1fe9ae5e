import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, AttentionCell
from tests.contract import assert_close, assert_same, to_numpy

MASK = np.array([[True] * 5, [True, True, True, False, False]])


@pytest.fixture
def arrays(rng):
    """Inputs of one step (2, 4) and values (2, 5, 3)."""
    return rng.normal(size=(2, 4)).astype("float32"), rng.normal(size=(2, 5, 3)).astype("float32")


def build(cell=None, attention="additive", **options):
    cell = AttentionCell(cell or keras.layers.LSTMCell(6), attention, **options)
    cell.build((2, 4), (2, 5, 3))
    return cell


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_two_steps_equal_the_equations(arrays):
    """An LSTM and Bahdanau attention in NumPy, row by row."""
    inputs, value = arrays
    cell = build(keras.layers.LSTMCell(6), Attention("additive"))
    memory = cell.prepare(value, mask=MASK)
    state = cell.initial_state(memory)
    outputs = []
    for _ in range(2):
        output, state = cell.step(inputs, memory, state)
        outputs.append(to_numpy(output))

    kernel, recurrent, bias = (ops.convert_to_numpy(weight) for weight in cell.cell.weights)
    scorer = cell.attentions[0].scorer
    u, b = (ops.convert_to_numpy(weight) for weight in scorer.query_projection.weights)
    w, v = (ops.convert_to_numpy(weight) for weight in (scorer.key_projection.kernel, scorer.energy))
    for row in range(2):
        h, c, context = np.zeros(6), np.zeros(6), np.zeros(3)
        for i in range(2):
            gates = np.concatenate([inputs[row], context]) @ kernel + h @ recurrent + bias
            input_gate, forget, candidate, output_gate = np.split(gates, 4)
            c = sigmoid(forget) * c + sigmoid(input_gate) * np.tanh(candidate)
            h = sigmoid(output_gate) * np.tanh(c)
            energies = [v @ np.tanh(h @ u + b + frame @ w) for frame in value[row, MASK[row]]]
            weights = np.exp(energies) / np.sum(np.exp(energies))
            context = sum(weight * frame for weight, frame in zip(weights, value[row, MASK[row]], strict=True))
            np.testing.assert_allclose(outputs[i][row], np.concatenate([h, context]), atol=1e-5)


def test_input_feeding():
    """What is fed back: the context, or with an attention layer its output, or nothing."""
    size = {}
    for name, options in {
        "context": {},
        "output": {"attention_layer": keras.layers.Dense(7)},
        "nothing": {"input_feeding": False},
    }.items():
        size[name] = build(**options).cell.kernel.shape[0] - 4
    assert size == {"context": 3, "output": 7, "nothing": 0}


def test_the_attention_layer_sees_query_and_context(arrays):
    inputs, value = arrays
    dense = keras.layers.Dense(7, activation="tanh")
    cell = build(attention_layer=dense)
    assert cell.output_dim == 7
    memory = cell.prepare(value)
    output, state = cell.step(inputs, memory, cell.initial_state(memory))
    joined = np.concatenate([to_numpy(state["cell"][0]), to_numpy(state["context"])], axis=-1)
    assert_close(to_numpy(output), to_numpy(dense(joined)), 1e-6)
    assert_same(to_numpy(output), to_numpy(state["output"]))
    # The next step is fed this output.
    after, _ = cell.step(inputs, memory, state)
    other, _ = cell.step(inputs, memory, {**state, "output": state["output"] + 1, "context": state["context"] + 1})
    same, _ = cell.step(inputs, memory, {**state, "context": state["context"] + 1})
    assert_same(to_numpy(after), to_numpy(same))
    assert np.any(to_numpy(after) != to_numpy(other))


def test_several_attentions(arrays):
    inputs, value = arrays
    cell = build(attention=[Attention("additive"), Attention("location_aware"), Attention("general")])
    assert cell.context_dim == 9 and cell.output_dim == 15
    memory = cell.prepare(value, mask=MASK)
    output, state = cell.step(inputs, memory, cell.initial_state(memory))
    assert tuple(output.shape) == (2, 15) and len(state["attention"]) == 3
    for i, one in enumerate(state["attention"]):
        expected = np.einsum("bt,btd->bd", to_numpy(one["alignment"]), value)
        assert_close(to_numpy(state["context"])[:, 3 * i : 3 * i + 3], expected)
    paths = [variable.path for variable in cell.variables]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    "make_cell",
    [
        lambda: keras.layers.SimpleRNNCell(6),
        lambda: keras.layers.GRUCell(6),
        lambda: keras.layers.LSTMCell(6),
        lambda: keras.layers.StackedRNNCells([keras.layers.LSTMCell(8), keras.layers.GRUCell(6)]),
    ],
    ids=["simple", "gru", "lstm", "stacked"],
)
def test_recurrent_cells(arrays, make_cell):
    inputs, value = arrays
    cell = build(make_cell())
    memory = cell.prepare(value)
    start = cell.initial_state(memory)
    output, state = cell.step(inputs, memory, start)
    assert tuple(output.shape) == (2, 9) and cell.output_dim == 9
    keras.tree.assert_same_structure(start, state)
    for before, after in zip(keras.tree.flatten(start), keras.tree.flatten(state), strict=True):
        assert before.shape == after.shape and before.dtype == after.dtype
        assert before.shape[0] == 2  # a beam search gathers the whole state


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_the_state_keeps_its_dtypes(arrays, dtype):
    if dtype == "float64" and keras.config.backend() != "tensorflow":
        pytest.skip("Keras promotes float64 to float32 on other backends")
    inputs, value = arrays
    recurrent = keras.layers.StackedRNNCells([keras.layers.LSTMCell(6, dtype=dtype)], dtype=dtype)
    cell = build(recurrent, "location_aware", dtype=dtype)
    memory = cell.prepare(value)
    start = cell.initial_state(memory)
    _, state = cell.step(inputs, memory, start)
    for before, after in zip(keras.tree.flatten(start), keras.tree.flatten(state), strict=True):
        assert before.dtype == after.dtype


@pytest.mark.parametrize("several", [False, True])
def test_config(several):
    attention = [Attention("additive"), Attention("dot", "sigmoid_smoothing")] if several else "location_aware"
    cell = AttentionCell(keras.layers.LSTMCell(6), attention, keras.layers.Dense(7), False, name="cell")
    config = cell.get_config()
    json.dumps(config)
    again = AttentionCell.from_config(config)
    assert again.get_config() == config
    assert len(again.attentions) == len(cell.attentions)
    assert type(again.attentions[-1].scorer) is type(cell.attentions[-1].scorer)
    assert (again.input_feeding, again.attention_layer.units) == (False, 7)


@pytest.mark.parametrize("wrong", [keras.layers.Dense(3), "lstm", None])
def test_what_is_no_recurrent_cell(wrong):
    with pytest.raises(TypeError, match=r"Expected a recurrent cell, such as .*LSTMCell\(256\)\. Received: cell="):
        AttentionCell(wrong)


def test_dropout_of_the_attention_layer_follows_the_argument(arrays):
    inputs, value = arrays
    cell = build(attention_layer=keras.layers.Dropout(0.5, seed=1))
    memory = cell.prepare(value)
    start = cell.initial_state(memory)
    assert np.any(to_numpy(cell.step(inputs, memory, start, training=True)[0]) == 0)
    assert np.all(to_numpy(cell.step(inputs, memory, start, training=False)[0]) != 0)


def test_a_step_in_a_loop_of_the_caller(arrays):
    """The whole state goes through keras.ops.while_loop, as in decoding."""
    inputs, value = arrays
    cell = build(attention="location_aware")
    memory = cell.prepare(value, mask=MASK)
    start = cell.initial_state(memory)
    _, state = keras.ops.while_loop(
        lambda i, state: i < 3, lambda i, state: (i + 1, cell.step(inputs, memory, state)[1]), (0, start)
    )
    expected = start
    for _ in range(3):
        _, expected = cell.step(inputs, memory, expected)
    assert_close(to_numpy(state["output"]), to_numpy(expected["output"]))
