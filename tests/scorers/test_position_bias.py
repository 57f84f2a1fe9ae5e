"""What holds for every scorer that adds a bias of positions to the scores of another one."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, scorers
from keras_attn.scorers import (
    Additive,
    ALiBi,
    LocalGaussian,
    LocalMonotonic,
    LocationAware,
    MultiHead,
    RelativePosition,
)
from keras_attn.scorers.position_bias import PositionBias
from tests.contract import assert_close, assert_same, to_numpy
from tests.scorers.steps import (
    MASKS,
    assert_steps_are_the_call,
    attend,
    copy_weights,
    random_inputs,
    reloaded,
)

# With options that let the position matter in a memory of five elements, and with some that do not.
BIASED = {
    ALiBi: {"slope": 0.7},
    LocalGaussian: {"half_width": 1.5, "units": 8},
    LocalMonotonic: {"half_width": 1},
    RelativePosition: {"max_distance": 2},
}
UNBIASED = {
    ALiBi: {"slope": 0},
    LocalGaussian: {"half_width": 1e9, "units": 8},
    LocalMonotonic: {"half_width": 5},
    RelativePosition: {},
}
INNER = {
    "plain": lambda: Additive(8),
    "recurrent": lambda: LocationAware(8, 2, 3, features="both"),
    "heads": lambda: MultiHead(Additive(8), heads=2),
}
every_member = pytest.mark.parametrize("member", BIASED, ids=lambda member: member.__name__)
every_inner = pytest.mark.parametrize("inner", INNER)


def build(member, inner, rng, options=BIASED):
    """An `Attention` with random weights, but for tables when there is to be no bias."""
    layer = Attention(member(INNER[inner](), **options[member]))
    layer.build((None, None, 4), (None, None, 6))
    if options is BIASED:
        for weight in layer.weights:
            weight.assign(rng.normal(size=weight.shape))
    return layer


@every_member
@every_inner
def test_without_a_bias_it_is_the_inner_scorer(rng, member, inner):
    query, value = random_inputs(rng)
    layer, plain = build(member, inner, rng, UNBIASED), Attention(INNER[inner]())
    plain.build(query.shape, value.shape)
    copy_weights(plain.scorer, layer.scorer.scorer)
    assert_close(attend(layer, query, value, **MASKS), attend(plain, query, value, **MASKS))
    assert (layer.scorer.recurrent, layer.scorer.heads) == (plain.scorer.recurrent, plain.scorer.heads)


@every_member
@every_inner
def test_with_a_bias_it_is_not(rng, member, inner):
    query, value = random_inputs(rng)
    layer = build(member, inner, rng)
    plain = Attention(layer.scorer.scorer)
    difference = np.abs(attend(layer, query, value, **MASKS)[1] - attend(plain, query, value, **MASKS)[1])
    assert np.all(difference.max(axis=(0, -1)) > 1e-3)  # of every query, and every head


@every_member
@every_inner
def test_steps_are_the_call(rng, member, inner):
    assert_steps_are_the_call(build(member, inner, rng), *random_inputs(rng))


@every_member
def test_padding_moves_nothing(rng, member):
    """Elements in a hole and padding to the left of the queries are not counted."""
    query, value = random_inputs(rng)
    layer = build(member, "plain", rng)
    queries, values = MASKS["query_mask"][1], MASKS["value_mask"][1]
    _, padded = attend(layer, query, value, **MASKS)
    _, dense = attend(layer, query[1:, queries], value[1:, values])
    assert_close(padded[1][np.ix_(queries, values)], dense[0])


@every_member
def test_the_mask_may_be_left_out(rng, member):
    scorer, key = build(member, "plain", rng).scorer, ops.cast(rng.normal(size=(2, 5, 6)), "float32")
    assert_same(to_numpy(scorer.prepare(key)), to_numpy(scorer.prepare(key, ops.ones((2, 5), "bool"))))


@every_member
def test_logarithms_of_weights_stay_such(member):
    class LogWeights(scorers.Scorer):
        log_weights = True

    assert member(LogWeights()).log_weights and not member().log_weights


@every_member
def test_saved_and_loaded_it_is_the_same(rng, member, tmp_path):
    query, value = random_inputs(rng)
    inputs = [keras.Input((None, x.shape[-1])) for x in (query, value)]
    layer = build(member, "recurrent", rng)
    model = keras.Model(inputs, layer(*inputs, return_attention_scores=True))
    again = reloaded(model, tmp_path / "model.keras")
    assert_same(to_numpy(again([query, value])), to_numpy(model([query, value])))


@every_member
def test_the_inner_scorer_is_given_in_any_way_and_gets_the_dtype(member):
    for given in ("general", {"class_name": "General", "config": {}, "registered_name": "keras_attn>General"}):
        inner = member(given, dtype="mixed_float16").scorer
        assert type(inner) is scorers.General
    assert member("general", dtype="mixed_float16").scorer.dtype_policy.name == "mixed_float16"


def test_a_member_without_bias_says_so():
    with pytest.raises(NotImplementedError, match=r"PositionBias must implement bias\(query, memory, state\)"):
        PositionBias("dot").bias(None, None, None)
