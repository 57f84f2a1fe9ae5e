"""Every option of an attention cell, and what it should compute: its steps in NumPy, one utterance at a time."""

import keras
import numpy as np
from keras import ops


def stack():
    return keras.layers.StackedRNNCells([keras.layers.SimpleRNNCell(8), keras.layers.SimpleRNNCell(6)])


def dense(units):
    return keras.layers.Dense(units, activation="tanh", bias_initializer="normal")


# Two attentions and two cells: what every option adds to a step.
OPTIONS = {
    "nothing": lambda: {},
    "no input feeding": lambda: {"input_feeding": False},
    "one attention layer": lambda: {"attention_layer": dense(7)},
    "a list of one layer": lambda: {"attention_layer": [dense(7)]},
    "a layer for each attention": lambda: {"attention_layer": [dense(7), dense(4)]},
    "attention layer, output of the cell": lambda: {"attention_layer": dense(7), "output": "cell"},
    "attention layer, concatenation": lambda: {"attention_layer": dense(7), "output": "concatenation"},
    "output of the attentions": lambda: {"output": "attention"},
    "input layer": lambda: {"input_layer": dense(5)},
    "input layer, no input feeding": lambda: {"input_layer": dense(5), "input_feeding": False},
    "first": lambda: {"query": "first"},
    "first, layers": lambda: {"query": "first", "input_layer": dense(5), "attention_layer": [dense(7), dense(4)]},
    "first, no input feeding": lambda: {"query": "first", "input_feeding": False, "output": "cell"},
    "previous": lambda: {"query": "previous"},
    "previous, layers": lambda: {"query": "previous", "input_layer": dense(5), "attention_layer": dense(7)},
    "previous, no input feeding": lambda: {"query": "previous", "input_feeding": False, "output": "cell"},
}


def weights(layer):
    return [ops.convert_to_numpy(weight) for weight in layer.weights]


def attend(attention, query, frames):
    """Context of one query: additive attention in NumPy."""
    scorer = attention.scorer
    (u, b), (w,) = weights(scorer.query_projection), weights(scorer.key_projection)
    energies = [ops.convert_to_numpy(scorer.energy) @ np.tanh(query @ u + b + frame @ w) for frame in frames]
    shares = np.exp(energies) / np.sum(np.exp(energies))
    return sum(share * frame for share, frame in zip(shares, frames, strict=True))


def dense_layer(layer, *parts):
    kernel, bias = weights(layer)
    return np.tanh(np.concatenate(parts) @ kernel + bias)


def outputs(cell, inputs, frames):
    """Outputs of the steps of one utterance, in NumPy: a stack of simple recurrent cells, additive attentions."""
    recurrent = [weights(one) for one in cell.cell.cells]
    states = [np.zeros(len(bias)) for *_, bias in recurrent]
    fed, results = np.zeros(cell.feedback_dim), []
    for x in inputs:
        if cell.query == "previous":
            contexts = [attend(attention, states[-1], frames) for attention in cell.attentions]
            fed = np.concatenate(contexts)
        if cell.input_feeding:
            x = np.concatenate([x, fed])
        if cell.input_layer is not None:
            x = dense_layer(cell.input_layer, x)
        for depth, (kernel, recurrent_kernel, bias) in enumerate(recurrent):
            x = states[depth] = np.tanh(x @ kernel + states[depth] @ recurrent_kernel + bias)
            if depth == 0 and cell.query == "first":
                contexts = [attend(attention, x, frames) for attention in cell.attentions]
                x = np.concatenate([x, *contexts])
        if cell.query == "last":
            contexts = [attend(attention, x, frames) for attention in cell.attentions]
        if len(cell.attention_layers) == 2:
            pairs = zip(cell.attention_layers, contexts, strict=True)
            fed = np.concatenate([dense_layer(layer, x, context) for layer, context in pairs])
        elif cell.attention_layers:
            fed = dense_layer(cell.attention_layers[0], x, *contexts)
        else:
            fed = np.concatenate(contexts)
        choice = cell.output_choice or ("attention" if cell.attention_layers else "concatenation")
        results.append({"concatenation": np.concatenate([x, *contexts]), "attention": fed, "cell": x}[choice])
    return np.stack(results)
