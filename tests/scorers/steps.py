"""What `Attention` returns, made by its steps."""

import keras
import numpy as np
from keras import ops

from tests.contract import assert_close, to_numpy

# Two rows of four queries over five elements: left padding in the queries, a hole and right padding in the values.
QUERY_MASK = np.array([[True, True, True, True], [False, False, True, True]])
VALUE_MASK = np.array([[True, True, True, True, False], [True, False, True, True, True]])
MASKS = {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK}


def random_inputs(rng, query_dim=4, value_dim=6):
    """Query and value."""
    return [rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((4, query_dim), (5, value_dim))]


def attend(layer, *args, **kwargs):
    """Context and alignment as arrays."""
    return to_numpy(layer(*args, return_attention_scores=True, **kwargs))


def assert_steps_are_the_call(layer, query, value):
    """With the masks above; the steps of a row are those of its real queries alone."""
    context, alignment = attend(layer, query, value, **MASKS)
    for row in range(2):
        memory = layer.prepare(value[row : row + 1], mask=ops.convert_to_tensor(VALUE_MASK[row : row + 1]))
        state = layer.initial_state(memory)
        for i in np.flatnonzero(QUERY_MASK[row]):
            expected, state = layer.step(query[row : row + 1, i], memory, state)
            expected = to_numpy((expected[0], state["alignment"][0]))
            assert_close((context[row, i], alignment[row, ..., i, :]), expected)


def assert_reweighed(layer, query, value, factor):
    """The weights of a softmax are those of the inner scorer times a factor, normalised.

    `factor` takes row, head, query, the number of real queries before it and of real elements before the key.
    """
    alignment = attend(layer, query, value, **MASKS)[1].reshape(2, -1, 4, 5)
    inner = attend(type(layer)(layer.scorer.scorer), query, value, **MASKS)[1].reshape(2, -1, 4, 5)
    for row, head, i in np.ndindex(inner.shape[:3]):
        if QUERY_MASK[row, i]:
            before = QUERY_MASK[row, :i].sum()
            factors = [factor(row, head, i, before, VALUE_MASK[row, :j].sum()) for j in range(5)]
            expected = inner[row, head, i] * factors
            assert_close(alignment[row, head, i], expected / expected.sum())


def copy_weights(source, target):
    """Give the built layer `target` the weights of the built layer `source`, one after the other."""
    for old, new in zip(source.weights, target.weights, strict=True):
        new.assign(old)


def reloaded(model, path):
    """The model as saved and loaded."""
    model.save(path)
    return keras.models.load_model(path)
