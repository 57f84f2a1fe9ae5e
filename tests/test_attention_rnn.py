import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, AttentionCell, AttentionRNN
from keras_attn.alignments import Softmax
from tests.contract import assert_close, assert_same, gradients, to_numpy, weighed

BACKEND = keras.config.backend()
VALUE_MASK = np.array([[True] * 5, [True, True, True, False, False]])
SEQUENCES_MASK = np.array([[True] * 6, [True] * 4 + [False] * 2])
CELLS = {
    "gru": lambda: AttentionCell(keras.layers.GRUCell(6), "additive"),
    "lstm, location-aware": lambda: AttentionCell(keras.layers.LSTMCell(6), "location_aware"),
    "stacked, two attentions, layer": lambda: AttentionCell(
        keras.layers.StackedRNNCells([keras.layers.LSTMCell(8), keras.layers.LSTMCell(6)]),
        [Attention("location_aware"), Attention("general", "sigmoid_smoothing")],
        keras.layers.Dense(7, activation="tanh"),
    ),
    "no input feeding": lambda: AttentionCell(keras.layers.LSTMCell(6), "additive", input_feeding=False),
}
every_cell = pytest.mark.parametrize("make_cell", CELLS.values(), ids=CELLS)


@pytest.fixture
def arrays(rng):
    """Sequences (2, 6, 4) and values (2, 5, 3)."""
    return [rng.normal(size=size).astype("float32") for size in ((2, 6, 4), (2, 5, 3))]


def model(rnn, **options):
    inputs = [keras.Input((None, 4)), keras.Input((None, 3))]
    outputs = keras.tree.flatten(rnn(*inputs, **options))
    return keras.Model(inputs, outputs if options else outputs[0])


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
        assert_close(one, np.stack([step[i] for step in alignments], axis=1))
        assert np.all(one[1, :, 3:] == 0)


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
        assert one.shape[:2] == (None, None) and one.shape[2] in (None, other.shape[2])
        assert one.dtype == keras.utils.standardize_dtype(other.dtype)
    fixed = rnn(keras.Input((6, 4), batch_size=2), keras.Input((5, 3), batch_size=2), return_attention_scores=True)
    assert [x.shape for x in keras.tree.flatten(fixed)] == [tuple(x.shape) for x in keras.tree.flatten(real)]


def test_a_functional_model_has_no_state_output():
    with pytest.raises(ValueError, match=r"Expected return_state=False in a functional model"):
        model(AttentionRNN(CELLS["gru"]()), return_state=True)


def test_only_an_attention_cell_will_do():
    with pytest.raises(TypeError, match=r"Expected an AttentionCell. Received: cell=<LSTMCell"):
        AttentionRNN(keras.layers.LSTMCell(3))


# ---- variables, saving, export


@every_cell
def test_build_alone_makes_all_variables(arrays, make_cell):
    called, built = AttentionRNN(make_cell(), name="rnn"), AttentionRNN(make_cell(), name="rnn")
    called(*arrays)
    built.build((None, None, 4), (None, None, 3))
    assert [weight.shape for weight in built.weights] == [weight.shape for weight in called.weights]
    paths = [weight.path for weight in built.weights]
    assert len(paths) == len(set(paths)) and all(path.startswith("rnn/") for path in paths)
    built(*arrays)
    assert [weight.path for weight in built.weights] == paths


@every_cell
def test_saved_and_exported_models_are_the_same_model(arrays, make_cell, tmp_path):
    original = model(AttentionRNN(make_cell()), return_attention_scores=True)
    expected = to_numpy(original(arrays))
    original.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_same(to_numpy(loaded(arrays)), expected)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        loaded.export(tmp_path / "exported", verbose=False)
        served = tf.saved_model.load(tmp_path / "exported")
        assert_close(to_numpy(served.serve(arrays)), expected, 1e-6)
        longer = [np.tile(x, (2, 3, 1)) for x in arrays]
        assert_close(to_numpy(served.serve(longer)), to_numpy(loaded(longer)))


# ---- dropout


def with_dropout():
    cells = [
        keras.layers.LSTMCell(6, dropout=0.3, recurrent_dropout=0.3),
        keras.layers.GRUCell(6, dropout=0.3, recurrent_dropout=0.3),
    ]
    attention = Attention("location_aware", Softmax(dropout=0.3))
    return AttentionRNN(AttentionCell(keras.layers.StackedRNNCells(cells), attention, keras.layers.Dropout(0.2)))


def test_dropout_trains_in_a_graph_and_leaks_nothing(arrays):
    sequences, value = arrays
    rnn = with_dropout()
    trained = model(rnn)
    trained.compile(keras.optimizers.SGD(0.0), "mse")  # nothing changes from epoch to epoch but the dropout
    targets = np.ones((2, 6, rnn.cell.output_dim), "float32")
    losses = trained.fit([sequences, value], targets, epochs=4, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and len(set(losses)) == 4
    # No mask or tensor of a graph stays behind: other sizes, eagerly, in training and not.
    first, second = (to_numpy(rnn(np.repeat(sequences, 3, 0), np.repeat(value, 3, 0), training=True)) for _ in "ab")
    assert np.any(first != second)
    assert_same(*(to_numpy(rnn(sequences, value, training=False)) for _ in "ab"))
    assert trained.predict([sequences, value], verbose=0).shape == targets.shape


def test_the_dropout_mask_of_a_cell_is_one_for_all_steps_of_a_call():
    """Variational dropout: a unit of the input is dropped for the whole sequence, or not at all."""
    cell = keras.layers.SimpleRNNCell(
        200, "linear", False, "identity", "zeros", dropout=0.5, recurrent_dropout=0.0, seed=1
    )
    rnn = AttentionRNN(AttentionCell(cell, "additive", input_feeding=False))
    sequences, value = np.ones((1, 4, 200), "float32"), np.zeros((1, 2, 3), "float32")
    outputs = to_numpy(rnn(sequences, value, training=True))[0, :, :200]
    assert_same(outputs, np.tile(outputs[:1], (4, 1)))
    assert 0.3 < np.mean(outputs == 0) < 0.7


def test_an_error_inside_a_call_leaves_no_mask_behind(arrays):
    sequences, value = arrays
    rnn = with_dropout()
    rnn(sequences, value)
    with pytest.raises(Exception, match=r".+"):
        rnn(sequences, value[:1], training=True)
    assert tuple(rnn(sequences[:1], value[:1], training=True).shape) == (1, 6, 9)


def test_the_same_seed_gives_the_same_training(arrays):
    def losses():
        keras.utils.set_random_seed(5)
        trained = model(with_dropout())
        trained.compile("sgd", "mse")
        return trained.fit(arrays, np.ones((2, 6, 9), "float32"), epochs=2, verbose=0).history["loss"]

    assert losses() == losses()


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
