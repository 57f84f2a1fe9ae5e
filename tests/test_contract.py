"""ONE contract for every scorer with every alignment function, built-in or written by a user: what they compute.

`test_contract_of_models.py` is the part on variables, configurations, saving and graphs.
"""

import keras
import numpy as np
import pytest

from tests import contract
from tests.backends import (
    BACKEND,
    assert_close,
    assert_same,
    differentiated,
    fast,
    shapes_of,
)
from tests.contract import ALIGNMENTS, BATCH, PAIRS, SCORERS, TQ, TV, VALUE_DIM, weighed
from tests.contract_cases import caller, every_pair, only_tensorflow

# Scorers of log-weights, and the alignment functions to which the sign of a score means something.
LOG_WEIGHTS = {"gaussian_mixture"}
ENERGIES = {"mocha", "monotonic", "sigmoid", "sigmoid_smoothing", "stepwise_monotonic"}

# Alignment functions whose weights need not add up to 1.
UNNORMALIZED = {"exponential", "independent_sigmoids", "mocha", "monotonic", "sigmoid", "stepwise_monotonic"}
# Alignment functions whose weights are all 0 where a mask keeps them from every element within their reach.
LIMITED_REACH = {"forward", "forward_transition", "window"}

# What has no finite differences that could equal its gradient, and why.
NOT_SMOOTH = {"hardmax": "constant but for jumps; the gradient is that of another function (straight-through)"}


@pytest.fixture(autouse=True)
def parts_of_the_readme():
    """Their registered names stand for them, although the test of the README registers its own."""
    keras.saving.get_custom_objects().update(contract.USERS)


def of_all_heads(mask, alignment):
    """A mask ``(batch, Tq, Tv)`` in the shape of an alignment."""
    return np.broadcast_to(mask[:, None] if alignment.ndim == 4 else mask, alignment.shape)


def assert_weights(pair, alignment, allowed):
    """Weights are 0 where they are not allowed, and elsewhere add up to 1 if the function says so."""
    allowed = of_all_heads(allowed, alignment)
    assert np.all(alignment >= 0) and np.all(alignment[~allowed] == 0)
    total, expected = alignment.sum(-1), allowed.any(-1)
    if LIMITED_REACH & pair.alignment.names:
        expected = expected & (total > 0)
    if not UNNORMALIZED & pair.alignment.names:
        np.testing.assert_allclose(total, expected, atol=1e-5)


# ---- which pairs there are


def test_pairs_that_make_no_sense_are_refused_with_a_reason():
    def is_refused(pair):
        if LOG_WEIGHTS & pair.scorer.names:
            return bool(ENERGIES & pair.alignment.names)
        return "exponential" in pair.alignment.names

    assert contract.REFUSED == [pair for pair in contract.EVERY_PAIR if is_refused(pair)]
    for pair in contract.REFUSED:
        with pytest.raises(ValueError, match="log.*weights.* Received: scorer=.*, alignment="):
            pair.layer()


def test_every_part_is_under_test():
    assert {pair.scorer for pair in PAIRS} == set(SCORERS.values())
    assert {pair.alignment for pair in PAIRS} == set(ALIGNMENTS.values())


def test_parts_of_users_take_part():
    assert {"negative_distance", "product_of_means"} < set(SCORERS)
    assert {"nearby", "independent_sigmoids"} < set(ALIGNMENTS)


# ---- the law


@every_pair
def test_call_equals_unrolled_steps(pair):
    layer, masks = pair.built(), {}
    # Two rows without masks, two with each mask alone, then two with all of them.
    for i, (name, mask) in enumerate(contract.masks().items(), start=1):
        masks[name] = np.ones((5, *mask.shape), bool)
        masks[name][i] = masks[name][4] = mask
        masks[name] = masks[name].reshape(10, *mask.shape[1:])
    arrays = pair.arrays(batch=10)
    expected = contract.unroll(layer, *arrays, **masks)
    assert_close(fast(caller(layer, **masks))(*arrays), expected)
    assert_close(fast(caller(layer))(*(x[:2] for x in arrays)), [x[:2] for x in expected])


# ---- padding and rows with nothing to attend to


@every_pair
def test_padding_changes_nothing_whatever_stands_there(pair):
    layer, arrays, masks = pair.built(), pair.arrays(), contract.masks()
    masks["attention_mask"][:, :, 0] = False  # what no query may attend to is padding too
    run = differentiated(caller(layer, **masks), weighed, layer.trainable_variables)
    allowed = masks["attention_mask"] & masks["value_mask"][:, None]
    real = [masks["query_mask"], allowed.any(1), allowed.any(1)]
    zeros, junk = (
        [
            np.where(mask[..., None], x, np.resize(np.float32(filling), x.shape))
            for x, mask in zip(arrays, real, strict=True)
        ]
        for filling in ([0], [np.nan, 1e30, -np.inf])
    )
    outputs, slopes = run(*zeros)
    assert all(np.isfinite(x).all() for x in (*outputs, *slopes))
    assert all(np.all(slope[~mask] == 0) for slope, mask in zip(slopes[:3], real, strict=True))
    assert_weights(pair, outputs[1], allowed & masks["query_mask"][:, :, None])
    assert_same(run(*junk), (outputs, slopes))


@every_pair
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "mixed_float16"])
def test_nothing_to_attend_to_gives_zeros_and_finite_gradients(pair, dtype):
    """Nothing for a row, nor for a query of the other one, whose scores are large in half precision."""
    layer, (query, value, key) = pair.built(dtype), pair.arrays()
    size = 1 if dtype == "float32" else 50
    masks = {"value_mask": np.ones((BATCH, TV), bool), "attention_mask": np.ones((BATCH, TQ, TV), bool)}
    masks["value_mask"][1] = masks["attention_mask"][0, 1] = False
    importance = keras.Variable(np.ones(BATCH), dtype="float32")  # of the rows in the loss

    def loss(outputs):
        return sum(weighed([x[i] for x in outputs], seed=i) * importance[i] for i in range(BATCH))

    run = differentiated(caller(layer, **masks), loss, [*layer.trainable_variables, importance])
    (context, alignment), slopes = run(size * query, value, size * key)
    assert np.isfinite(context).all() and all(np.isfinite(x).all() for x in slopes)
    assert_weights(pair, alignment, masks["attention_mask"] & masks["value_mask"][:, None])
    assert np.all(context[1] == 0) and np.all(context[0, 1] == 0)
    assert all(np.all(x[1] == 0) for x in slopes[:3])
    importance.assign([1, 0])
    assert_close(run(size * query, value, size * key)[1][:-1], slopes[:-1])


# ---- shapes


@every_pair
def test_symbolic_shapes_and_dtypes_equal_the_real_ones(pair):
    layer, arrays = pair.built(), pair.arrays()
    heads = () if layer.scorer.heads is None else (layer.scorer.heads,)
    known = caller(layer)(*(keras.Input(x.shape[1:], batch_size=len(x)) for x in arrays))
    assert [x.shape for x in known] == [(BATCH, TQ, VALUE_DIM), (BATCH, *heads, TQ, TV)]
    assert shapes_of(caller(layer), *arrays) == [(x.shape, x.dtype) for x in known]
    unknown = [keras.Input((None, x.shape[-1])) for x in arrays]
    assert [x.shape for x in caller(layer)(*unknown)] == [(None, None, VALUE_DIM), (None, *heads, None, None)]
    assert layer(*unknown).shape == (None, None, VALUE_DIM)


@every_pair
def test_one_layer_takes_every_length(pair):
    layer = pair.built()
    sizes = [(1, 1, 113), (3, 2, 1)]
    if BACKEND != "torch" or not layer.recurrent:  # keras.ops.scan takes no step of 0 on torch
        sizes.append((2, 0, 4))
    for batch, tq, tv in sizes:
        context, alignment = shapes_of(caller(layer), *pair.arrays(batch, tq, tv))
        assert context[0] == (batch, tq, VALUE_DIM) and alignment[0][-2:] == (tq, tv)
    context, alignment = fast(caller(layer))(*pair.arrays(tv=0))
    assert np.all(context == 0) and alignment.shape[-2:] == (TQ, 0)


# ---- gradients


@only_tensorflow(reason="Keras computes float64 in float32 on other backends")
@every_pair
def test_gradients_equal_finite_differences(pair):
    if str(pair.alignment) in NOT_SMOOTH:
        pytest.skip(NOT_SMOOTH[str(pair.alignment)])
    layer, arrays, rng = pair.built("float64"), pair.arrays(dtype="float64"), np.random.default_rng(3)
    function, variables = caller(layer, **contract.masks()), layer.trainable_variables
    points = [*arrays, *(variable.numpy() for variable in variables)]
    direction = [rng.normal(size=x.shape) for x in points]

    def loss(step):
        moved = [x + step * one for x, one in zip(points, direction, strict=True)]
        for variable, value in zip(variables, moved[len(arrays) :], strict=True):
            variable.assign(value)
        return float(weighed(function(*moved[: len(arrays)])))

    _, slopes = differentiated(function, weighed, variables)(*arrays)
    slope = sum(np.sum(slope * one) for slope, one in zip(slopes, direction, strict=True))
    np.testing.assert_allclose((loss(1e-6) - loss(-1e-6)) / 2e-6, slope, rtol=1e-6, atol=1e-7)
