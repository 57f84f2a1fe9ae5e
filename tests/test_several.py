import keras
import numpy as np
import pytest

from keras_attn import Attention, AttentionCell, scorers
from tests.contract import assert_close, to_numpy

MASK = np.array([[True] * 5, [True, True, True, False, False]])


@pytest.fixture
def arrays(rng):
    """Inputs of one step (2, 4) and values (2, 5, 3)."""
    return rng.normal(size=(2, 4)).astype("float32"), rng.normal(size=(2, 5, 3)).astype("float32")


def build(attention):
    cell = AttentionCell(keras.layers.LSTMCell(6), attention)
    cell.build((2, 4), (2, 5, 3))
    return cell


def test_several_attentions(arrays):
    inputs, value = arrays
    cell = build([Attention("additive"), Attention("location_aware"), Attention("general")])
    assert cell.context_dim == 9 and cell.output_dim == 15
    memory = cell.prepare(value, mask=MASK)
    output, state = cell.step(inputs, memory, cell.initial_state(memory))
    assert tuple(output.shape) == (2, 15) and len(state["attention"]) == 3
    for i, one in enumerate(state["attention"]):
        expected = np.einsum("bt,btd->bd", to_numpy(one["alignment"]), value)
        assert_close(to_numpy(state["context"])[:, 3 * i : 3 * i + 3], expected)
    paths = [variable.path for variable in cell.variables]
    assert len(paths) == len(set(paths))


def test_a_memory_for_each_attention(arrays, rng):
    inputs, value = arrays
    other = rng.normal(size=(2, 8, 9)).astype("float32")
    cell = AttentionCell(keras.layers.GRUCell(6), ["additive", "location_aware"])
    cell.build((2, 4), [(2, 5, 3), (2, 8, 9)])
    memory = cell.prepare([value, other], mask=[MASK, None])
    _, state = cell.step(inputs, memory, cell.initial_state(memory))
    alignments = [to_numpy(one["alignment"]) for one in state["attention"]]
    contexts = [np.einsum("bt,btd->bd", *pair) for pair in zip(alignments, (value, other), strict=True)]
    assert_close(to_numpy(state["context"]), np.concatenate(contexts, axis=-1))
    assert np.all(alignments[0][~MASK] == 0) and np.all(alignments[1] > 0)
    with pytest.raises(ValueError, match=r"Expected mask for all .* one for each of 2\. Received: a list of 3"):
        cell.prepare(value, mask=[MASK, MASK, MASK])


def test_heads_and_projections(arrays):
    inputs, value = arrays
    heads = scorers.MultiHead("additive", heads=3)
    attention = Attention(heads, value_projection=keras.layers.Dense(12), output_projection=keras.layers.Dense(10))
    cell = build([attention, "additive"])
    assert (cell.context_dim, cell.output_dim) == (13, 19)
    memory = cell.prepare(value, mask=MASK)
    output, state = cell.step(inputs, memory, cell.initial_state(memory))
    assert tuple(output.shape) == (2, 19) and tuple(state["attention"][0]["alignment"].shape) == (2, 3, 5)
    # The context is what the attention alone makes of the cell's output.
    alone, _ = attention.step(state["cell_output"], memory[0], attention.initial_state(memory[0]))
    assert_close(to_numpy(state["context"])[:, :10], to_numpy(alone))
