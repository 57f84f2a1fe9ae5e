import json

import keras
import numpy as np
import pytest

from keras_attn import Attention, AttentionCell
from tests import attention_cell_by_hand as by_hand
from tests.contract import assert_close, assert_same, to_numpy

every_option = pytest.mark.parametrize("options", by_hand.OPTIONS.values(), ids=by_hand.OPTIONS)
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

    kernel, recurrent, bias = by_hand.weights(cell.cell)
    for row in range(2):
        h, c, context = np.zeros(6), np.zeros(6), np.zeros(3)
        for i in range(2):
            gates = np.concatenate([inputs[row], context]) @ kernel + h @ recurrent + bias
            input_gate, forget, candidate, output_gate = np.split(gates, 4)
            c = sigmoid(forget) * c + sigmoid(input_gate) * np.tanh(candidate)
            h = sigmoid(output_gate) * np.tanh(c)
            context = by_hand.attend(cell.attentions[0], h, value[row, MASK[row]])
            np.testing.assert_allclose(outputs[i][row], np.concatenate([h, context]), atol=1e-5)


@every_option
def test_steps_equal_the_equations(rng, options):
    inputs, value = rng.normal(size=(3, 2, 4)).astype("float32"), rng.normal(size=(2, 5, 3)).astype("float32")
    cell = build(by_hand.stack(), ["additive", "additive"], **options())
    memory = cell.prepare(value, mask=MASK)
    start = state = cell.initial_state(memory)
    outputs = []
    for x in inputs:
        output, state = cell.step(x, memory, state)
        outputs.append(to_numpy(output))
        assert_same(to_numpy(state["output"]), outputs[-1])
        keras.tree.assert_same_structure(start, state)
        assert [x.shape for x in keras.tree.flatten(start)] == [x.shape for x in keras.tree.flatten(state)]
    for row in range(2):
        expected = by_hand.outputs(cell, inputs[:, row], value[row, MASK[row]])
        assert_close(np.stack(outputs)[:, row], expected)
        assert cell.output_dim == expected.shape[-1]


@every_option
def test_options_survive_their_configuration(options):
    cell = AttentionCell(by_hand.stack(), ["additive", "additive"], **options())
    config = json.dumps(cell.get_config())
    again = AttentionCell.from_config(json.loads(config))
    assert json.dumps(again.get_config()) == config
    for one in (cell, again):
        one.build((None, 4), (None, None, 3))
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in cell.weights]


def test_the_feedback_is_the_only_thing_fed_back(arrays):
    inputs, value = arrays
    cell = build(attention_layer=keras.layers.Dense(7))
    memory = cell.prepare(value)
    _, state = cell.step(inputs, memory, cell.initial_state(memory))
    after = to_numpy(cell.step(inputs, memory, state)[0])
    others = {name: state[name] + 1 for name in ("cell_output", "context", "output")}
    assert_same(to_numpy(cell.step(inputs, memory, {**state, **others})[0]), after)
    assert np.all(to_numpy(cell.step(inputs, memory, {**state, "feedback": state["feedback"] + 1})[0]) != after)


def test_starting_from_the_states_of_an_encoder(arrays):
    inputs, value = arrays
    cell = build(keras.layers.LSTMCell(6))
    memory = cell.prepare(value)
    _, *states = keras.layers.LSTM(6, return_state=True)(value)
    _, state = cell.step(inputs, memory, {**cell.initial_state(memory), "cell": states})
    joined = np.concatenate([inputs, np.zeros((2, 3))], axis=-1)
    expected, _ = cell.cell(joined, states)
    assert_close(to_numpy(state["cell_output"]), to_numpy(expected))


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
    assert (again.input_feeding, again.attention_layers[0].units) == (False, 7)


@pytest.mark.parametrize("wrong", [keras.layers.Dense(3), "lstm", None])
def test_what_is_no_recurrent_cell(wrong):
    with pytest.raises(TypeError, match=r"Expected a recurrent cell, such as .*LSTMCell\(256\)\. Received: cell="):
        AttentionCell(wrong)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"query": "middle"},
            r"Expected query to be one of \('last', 'first', 'previous'\)\. Received: query='middle'",
        ),
        ({"output": "both"}, r"Expected output to be one of \(None, .*, 'cell'\)\. Received: output='both'"),
        ({"query": "first"}, r"Expected keras.layers.StackedRNNCells with query='first'\. Received: cell=<LSTMCell"),
        ({"attention": []}, r"Expected an attention, or a list of them\. Received: none"),
        ({"attention_layer": [None] * 2}, r"Expected one attention_layer, or 1, one per attention\. Received: 2"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        AttentionCell(keras.layers.LSTMCell(6), **options)


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
