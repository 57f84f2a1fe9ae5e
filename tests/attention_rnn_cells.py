"""Attention cells of many kinds, small, for inputs of 4 features and memories of 3."""

import keras
import pytest

from keras_attn import Attention, AttentionCell
from keras_attn.scorers import MultiHead

CELLS = {
    "gru": lambda: AttentionCell(keras.layers.GRUCell(6), "additive"),
    "lstm, location-aware": lambda: AttentionCell(keras.layers.LSTMCell(6), "location_aware"),
    "stacked, two attentions, layer": lambda: AttentionCell(
        keras.layers.StackedRNNCells([keras.layers.LSTMCell(8), keras.layers.LSTMCell(6)]),
        [Attention("location_aware"), Attention("general", "sigmoid_smoothing")],
        keras.layers.Dense(7, activation="tanh"),
    ),
    "no input feeding": lambda: AttentionCell(keras.layers.LSTMCell(6), "additive", input_feeding=False),
    "heads, projections, a layer each": lambda: AttentionCell(
        keras.layers.GRUCell(8),
        [
            Attention(
                MultiHead("location_aware", heads=3),
                value_projection=keras.layers.Dense(9),
                output_projection=keras.layers.Dense(4),
            ),
            Attention("general"),
        ],
        attention_layer=[keras.layers.Dense(7), keras.layers.Dense(4, use_bias=False)],
        output="concatenation",
    ),
    "first query, output of the cell": lambda: AttentionCell(
        keras.layers.StackedRNNCells([keras.layers.LSTMCell(7), keras.layers.GRUCell(8)]),
        "location_aware",
        query="first",
        output="cell",
    ),
    "previous query, layers": lambda: AttentionCell(
        keras.layers.LSTMCell(8),
        "location_aware",
        keras.layers.Dense(7),
        input_layer=keras.layers.Dense(4, activation="relu"),
        query="previous",
    ),
}
every_cell = pytest.mark.parametrize("make_cell", CELLS.values(), ids=CELLS)


def model(rnn, **options):
    inputs = [keras.Input((None, 4)), keras.Input((None, 3))]
    outputs = keras.tree.flatten(rnn(*inputs, **options))
    return keras.Model(inputs, outputs if options else outputs[0])
