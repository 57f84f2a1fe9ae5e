"""Recorded outputs of other libraries, and our layers run on the same inputs with the same weights."""

from pathlib import Path

import numpy as np
from keras import ops

from keras_attn import masking
from tests.backends import to_numpy


def case(library, name):
    """The arrays of a case by name; under ``"weights"`` those of the weights, by their names in the library."""
    with np.load(Path(__file__).parent / f"{library}.npz") as arrays:
        own = {key.removeprefix(f"{name}/"): arrays[key] for key in arrays if key.startswith(f"{name}/")}
    weights = {key.removeprefix("weights/"): own.pop(key) for key in list(own) if key.startswith("weights/")}
    return {**own, "weights": weights}


def assign(layer, weights):
    """Set every weight of a layer, each by its path inside the layer."""
    own = {f"/{weight.path}".split(f"/{layer.name}/", 1)[1]: weight for weight in layer.weights}
    assert own.keys() == weights.keys()
    for path, weight in own.items():
        weight.assign(weights[path])


def linear(weights, theirs, ours=""):
    """The weights of a linear layer of torch, (out, in), as those of a `Dense` of Keras, (in, out)."""
    own = {f"{ours}kernel": weights[f"{theirs}.weight"].T}
    return own | ({f"{ours}bias": weights[f"{theirs}.bias"]} if f"{theirs}.bias" in weights else {})


def build(attention, case):
    """Build an attention for the inputs of a case, and prepare the memory."""
    attention.build(case["query"].shape, case["memory"].shape)
    return attention


def prepare(layer, case):
    """The memory of a layer, an `Attention` or an `AttentionCell`."""
    return layer.prepare(case["memory"], mask=real(case))


def real(case):
    """Which frames are real, ``(batch, Tv)``."""
    return to_numpy(masking.length_mask(case["lengths"], case["memory"].shape[1]))


def run(step, inputs, memory, state):
    """Run a step over ``(batch, T, ...)``.

    Returns:
        The outputs ``(batch, T, ...)``, and a list of the states: that before the first step, and those
        after each step, as nests of arrays.
    """
    outputs, states = [], [state]
    for x in np.moveaxis(inputs, 1, 0):
        output, state = step(ops.convert_to_tensor(x), memory, state)
        outputs.append(to_numpy(output))
        states.append(state)
    return np.stack(outputs, axis=1), to_numpy(states)


def attend(attention, case, memory=None, state=None):
    """The contexts and the states of every query of a case."""
    memory = prepare(attention, case) if memory is None else memory
    state = attention.initial_state(memory) if state is None else state
    return run(attention.step, case["query"], memory, state)


def alignments(states):
    """Alignments ``(batch, [heads,] Tq, Tv)`` out of the states of an `Attention`."""
    return np.stack([state["alignment"] for state in states[1:]], axis=-2)


def assert_same(outputs, case, rows=slice(None), atol=1e-5):
    """Compare contexts and states, as `attend` returns them, with those of the case."""
    contexts, states = outputs
    assert_close(alignments(states)[rows], case["alignment"][rows], atol)
    assert_close(contexts[rows], case["context"][rows], atol)


def assert_close(ours, theirs, atol=1e-5):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)
