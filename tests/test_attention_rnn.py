import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import AttentionCell, AttentionRNN
from tests.attention_rnn_cells import CELLS, every_cell
from tests.contract import assert_close, assert_same, gradients, to_numpy, weighed

BACKEND = keras.config.backend()
VALUE_MASK = np.array([[True] * 5, [True, True, True, False, False]])
SEQUENCES_MASK = np.array([[True] * 6, [True] * 4 + [False] * 2])


@pytest.fixture
def arrays(rng):
    """Sequences (2, 6, 4) and values (2, 5, 3)."""
    return [rng.normal(size=size).astype("float32") for size in ((2, 6, 4), (2, 5, 3))]


@every_cell
def test_equals_a_loop_of_steps(arrays, make_cell):
    sequences, value = arrays
    rnn = AttentionRNN(make_cell())
    outputs, alignment = rnn(sequences, value, value_mask=VALUE_MASK, return_attention_scores=True)
    memory = rnn.cell.prepare(value, mask=VALUE_MASK)
    state, expected, alignments = rnn.cell.initial_state(memory), [], []
    for i in range(6):
        output, state = rnn.cell.step(sequences[:, i], memory, state)
        expected.append(to_numpy(output))
        alignments.append([to_numpy(one["alignment"]) for one in state["attention"]])
    assert_close(to_numpy(outputs), np.stack(expected, axis=1))
    alignment = alignment if isinstance(alignment, list) else [alignment]
    for i, one in enumerate(to_numpy(alignment)):
        assert_close(one, np.stack([step[i] for step in alignments], axis=-2))  # the heads come before the time
        assert np.all(one[1, ..., 3:] == 0)


@every_cell
def test_a_sequence_in_two_parts_is_the_same_sequence(arrays, make_cell):
    sequences, value = arrays
    rnn = AttentionRNN(make_cell())
    whole, last = rnn(sequences, value, return_state=True)
    first, state = rnn(sequences[:, :2], value, return_state=True)
    second, state = rnn(sequences[:, 2:], value, initial_state=state, return_state=True)
    assert_close(np.concatenate([to_numpy(first), to_numpy(second)], axis=1), to_numpy(whole), 1e-6)
    keras.tree.assert_same_structure(state, last)
    assert_close(to_numpy(state), to_numpy(last), 1e-6)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_a_state_that_is_handed_in_keeps_its_dtypes(arrays, dtype):
    sequences, value = arrays
    cell = AttentionCell(keras.layers.LSTMCell(6, dtype=dtype), "location_aware", dtype=dtype)
    rnn = AttentionRNN(cell, dtype=dtype)
    whole = rnn(sequences, value)
    assert keras.utils.standardize_dtype(whole.dtype) == dtype.removeprefix("mixed_")
    first, state = rnn(sequences[:, :2], value, return_state=True)
    second = rnn(sequences[:, 2:], value, initial_state=state)
    assert_same(np.concatenate([to_numpy(first), to_numpy(second)], axis=1), to_numpy(whole))


def test_masked_steps_freeze_the_state(arrays):
    sequences, value = arrays
    rnn = AttentionRNN(CELLS["lstm, location-aware"]())
    outputs, state = rnn(sequences, value, sequences_mask=SEQUENCES_MASK, return_state=True)
    short, short_state = rnn(sequences[:, :4], value, return_state=True)
    assert_close(to_numpy(outputs)[:, :4], to_numpy(short), 1e-6)
    row = [x[1] for x in keras.tree.flatten(to_numpy(state))]
    assert_close(row, [x[1] for x in keras.tree.flatten(to_numpy(short_state))], 1e-6)
    # Left padding: as if the sequence began later.
    left, _ = rnn(sequences, value, sequences_mask=np.arange(6) >= np.array([[0], [2]]), return_state=True)
    assert_close(to_numpy(left)[1, 2:], to_numpy(rnn(sequences[:, 2:], value))[1], 1e-6)


def test_padding_changes_nothing_whatever_stands_there(arrays):
    rnn = AttentionRNN(CELLS["lstm, location-aware"]())
    masks = {"sequences_mask": SEQUENCES_MASK, "value_mask": VALUE_MASK}
    rnn.build((2, 6, 4), (2, 5, 3))

    def run(filling):
        padded = [
            keras.Variable(np.where(mask[..., None], x, filling), dtype="float32")
            for x, mask in zip(arrays, masks.values(), strict=True)
        ]

        def outputs():
            return rnn(*(x.value[:] for x in padded), **masks, return_attention_scores=True)

        variables = [*padded, *rnn.trainable_variables]
        return to_numpy(outputs()), gradients(lambda: weighed(outputs()), variables)

    expected = run(0.0)
    assert all(np.isfinite(x).all() for x in keras.tree.flatten(expected))
    for filling in (np.nan, 1e30):
        assert_same(run(filling), expected)


@every_cell
def test_outputs_do_not_depend_on_later_inputs(arrays, make_cell):
    sequences, value = arrays
    rnn = AttentionRNN(make_cell())
    before = to_numpy(rnn(sequences, value))
    changed = sequences.copy()
    changed[:, 3:] += 10
    after = to_numpy(rnn(changed, value))
    assert_same(before[:, :3], after[:, :3])
    assert np.all(before[:, 3:] != after[:, 3:])


def test_implicit_masks_equal_explicit_ones(rng):
    tokens, frames = np.array([[3, 1, 2], [4, 1, 0]]), np.array([[5, 2, 0, 0], [1, 2, 3, 0]])
    embed = keras.layers.Embedding(6, 4, mask_zero=True)
    rnn = AttentionRNN(CELLS["gru"]())
    outputs, alignment = rnn(embed(tokens), embed(frames), return_attention_scores=True)
    plain = [ops.convert_to_tensor(to_numpy(embed(x))) for x in (tokens, frames)]
    masks = {"sequences_mask": tokens != 0, "value_mask": frames != 0}
    expected = rnn(*plain, **masks, return_attention_scores=True)
    assert_same((to_numpy(outputs), to_numpy(alignment)), to_numpy(expected))
    pooled = to_numpy(keras.layers.GlobalAveragePooling1D()(outputs))  # the mask goes on
    assert_close(pooled[1], to_numpy(outputs)[1, :2].mean(0))


@every_cell
def test_symbolic_shapes_and_dtypes_equal_the_real_ones(arrays, make_cell):
    rnn = AttentionRNN(make_cell())
    real = rnn(*arrays, return_attention_scores=True)
    symbolic = rnn(keras.Input((None, 4)), keras.Input((None, 3)), return_attention_scores=True)
    for one, other in zip(keras.tree.flatten(symbolic), keras.tree.flatten(real), strict=True):
        assert one.shape == tuple(None if size in (2, 6, 5) else size for size in other.shape)
        assert one.dtype == keras.utils.standardize_dtype(other.dtype)
    fixed = rnn(keras.Input((6, 4), batch_size=2), keras.Input((5, 3), batch_size=2), return_attention_scores=True)
    assert [x.shape for x in keras.tree.flatten(fixed)] == [tuple(x.shape) for x in keras.tree.flatten(real)]


@every_cell
def test_a_functional_model_returns_the_state(arrays, make_cell):
    rnn = AttentionRNN(make_cell())
    inputs = [keras.Input((None, 4)), keras.Input((None, 3))]
    stateful = keras.Model(inputs, rnn(*inputs, return_state=True))
    expected = rnn(*arrays, return_state=True)
    outputs = stateful(arrays)
    keras.tree.assert_same_structure(outputs[1], expected[1])
    assert_close(to_numpy(outputs), to_numpy(expected), 1e-6)
    for one, other in zip(keras.tree.flatten(stateful.output), keras.tree.flatten(expected), strict=True):
        assert one.shape[0] is None
        assert all(size in (None, real) for size, real in zip(one.shape, other.shape, strict=True))


def test_an_encoder_hands_over_its_states(arrays):
    """A part of the state will do, in a functional model as well."""
    sequences, value = arrays
    encoder = keras.layers.LSTM(6, return_sequences=True, return_state=True)
    rnn = AttentionRNN(CELLS["lstm, location-aware"]())
    inputs = [keras.Input((None, 4)), keras.Input((None, 3))]
    encoded, *states = encoder(inputs[1])
    whole = keras.Model(inputs, rnn(inputs[0], encoded, initial_state={"cell": states}))
    encoded, *states = encoder(value)
    memory = rnn.cell.prepare(encoded)
    state, expected = {**rnn.cell.initial_state(memory), "cell": states}, []
    for i in range(6):
        output, state = rnn.cell.step(sequences[:, i], memory, state)
        expected.append(to_numpy(output))
    assert_close(to_numpy(whole(arrays)), np.stack(expected, axis=1))


def test_key_mask_and_value_mask_hold_together(arrays):
    sequences, value = arrays
    rnn = AttentionRNN(CELLS["gru"]())
    key_mask = np.array([[True, False, True, True, True]] * 2)
    expected = rnn(sequences, value, value_mask=VALUE_MASK & key_mask)
    assert_same(to_numpy(rnn(sequences, value, value_mask=VALUE_MASK, key_mask=key_mask)), to_numpy(expected))
    assert_same(to_numpy(rnn(sequences, value, key_mask=VALUE_MASK & key_mask)), to_numpy(expected))


def test_a_key_is_the_third_argument(arrays, rng):
    sequences, value = arrays
    key = rng.normal(size=(2, 5, 7)).astype("float32")
    rnn = AttentionRNN(CELLS["gru"]())
    inputs = [keras.Input((None, 4)), keras.Input((None, 3)), keras.Input((None, 7))]
    keyed = keras.Model(inputs, rnn(*inputs))
    assert keyed.output.shape == (None, None, 9)
    assert_same(to_numpy(keyed([sequences, value, key])), to_numpy(rnn(sequences, value, key=key)))
    assert np.any(to_numpy(rnn(sequences, value, key)) != to_numpy(rnn(sequences, value, key + 1)))


def test_a_memory_for_each_attention(rng, tmp_path):
    """Two encoders, each with the mask that Keras attached."""
    tokens, words, sounds = (rng.integers(0, 6, size=(2, t)) for t in (3, 4, 7))
    inputs = [keras.Input((None,), dtype="int32") for _ in range(3)]
    embed = [keras.layers.Embedding(6, dim, mask_zero=dim != 4) for dim in (4, 5, 3)]
    rnn = AttentionRNN(AttentionCell(keras.layers.GRUCell(6), ["additive", "location_aware"]))
    vectors, *values = (layer(x) for layer, x in zip(embed, inputs, strict=True))
    both = keras.Model(inputs, rnn(vectors, values, return_attention_scores=True))
    assert [x.shape for x in keras.tree.flatten(both.output)] == [(None, None, 14), *[(None, None, None)] * 2]
    outputs = to_numpy(both([tokens, words, sounds]))
    for alignment, memory in zip(outputs[1], (words, sounds), strict=True):
        assert np.all((alignment == 0) == (memory == 0)[:, None])
    vectors, *values = (layer(x) for layer, x in zip(embed, (tokens, words, sounds), strict=True))
    plain = [ops.convert_to_tensor(to_numpy(x)) for x in values]
    expected = rnn(vectors, plain, value_mask=[words != 0, sounds != 0], return_attention_scores=True)
    assert_same(outputs, to_numpy(expected))
    both.save(tmp_path / "model.keras")
    assert_same(to_numpy(keras.models.load_model(tmp_path / "model.keras")([tokens, words, sounds])), outputs)


def test_only_an_attention_cell_will_do():
    with pytest.raises(TypeError, match=r"Expected an AttentionCell. Received: cell=<LSTMCell"):
        AttentionRNN(keras.layers.LSTMCell(3))


def test_learns_to_copy(rng):
    """Attention moves along the memory: the outputs are the elements of the memory, in order."""
    inputs = [keras.Input((None, 4)), keras.Input((None, 3))]
    rnn = AttentionRNN(AttentionCell(keras.layers.GRUCell(16), "location_aware"))
    copier = keras.Model(inputs, keras.layers.Dense(3)(rnn(*inputs)))
    copier.compile(keras.optimizers.Adam(0.02), "mse")
    value = rng.choice([-1.0, 1.0], size=(64, 5, 3)).astype("float32")
    clock = np.tile(np.eye(5, 4, dtype="float32"), (64, 1, 1))
    losses = copier.fit([clock, value], value, epochs=25, batch_size=64, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]
