"""Dropout inside the loop of an AttentionRNN."""

import keras
import numpy as np
import pytest

from keras_attn import Attention, AttentionCell, AttentionRNN
from keras_attn.alignments import Softmax
from tests.contract import assert_same, to_numpy


@pytest.fixture
def arrays(rng):
    """Sequences (2, 6, 4) and values (2, 5, 3)."""
    return [rng.normal(size=size).astype("float32") for size in ((2, 6, 4), (2, 5, 3))]


def model(rnn):
    inputs = [keras.Input((None, 4)), keras.Input((None, 3))]
    return keras.Model(inputs, rnn(*inputs))


def with_dropout(query="last"):
    cells = [
        keras.layers.LSTMCell(6, dropout=0.3, recurrent_dropout=0.3),
        keras.layers.GRUCell(6, dropout=0.3, recurrent_dropout=0.3),
    ]
    attention = Attention("location_aware", Softmax(dropout=0.3))
    stack, dropout = keras.layers.StackedRNNCells(cells), keras.layers.Dropout(0.2)
    return AttentionRNN(AttentionCell(stack, attention, dropout, query=query))


@pytest.mark.parametrize("query", ["last", "first", "previous"])
def test_it_trains_in_a_graph_and_leaks_nothing(arrays, query):
    sequences, value = arrays
    rnn = with_dropout(query)
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
