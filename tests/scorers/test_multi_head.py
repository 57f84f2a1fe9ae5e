import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import Additive, Dot, General, LocationAware, MultiHead, ProjectedDot, ScaledDot, Scorer
from tests.contract import assert_close, assert_same, product_of_means, to_numpy
from tests.scorers.steps import (
    MASKS,
    VALUE_MASK,
    assert_steps_are_the_call,
    attend,
    copy_weights,
    random_inputs,
    reloaded,
)


class LogWeights(Scorer):
    log_weights = True

    def score(self, query, memory, state):
        return ops.zeros((*ops.shape(query)[:2], ops.shape(memory["key"])[1]))


# ---- the multi-head attention of Keras


@pytest.mark.parametrize(
    "masks",
    [{}, {"value_mask": VALUE_MASK}, {"attention_mask": np.tril(np.ones((2, 4, 5), bool))}, {"use_causal_mask": True}],
    ids=lambda masks: "".join(masks) or "none",
)
def test_it_is_multi_head_attention(rng, masks):
    heads, key_dim, value_dim, output_dim = 3, 2, 5, 7
    query, value = random_inputs(rng)
    theirs = keras.layers.MultiHeadAttention(heads, key_dim, value_dim, output_shape=output_dim)
    theirs.build(query.shape, value.shape)
    for weight in theirs.weights:
        weight.assign(rng.normal(size=weight.shape))
    expected = to_numpy(theirs(query, value, return_attention_scores=True, **masks))

    ours = Attention(
        MultiHead(ProjectedDot(key_dim), heads),
        value_projection=keras.layers.Dense(heads * value_dim),
        output_projection=keras.layers.Dense(output_dim),
    )
    ours.build(query.shape, value.shape)
    weights = {"/".join(weight.path.split("/")[-2:]): to_numpy(weight.value) for weight in theirs.weights}
    for i, head in enumerate(ours.scorer.scorers):
        for name in ("query", "key"):
            kernel, bias = weights[f"{name}/kernel"][:, i], weights[f"{name}/bias"][i]
            getattr(head, f"{name}_projection").set_weights([kernel, bias])
    ours.value_projection.set_weights([weights["value/kernel"].reshape(6, -1), weights["value/bias"].reshape(-1)])
    output = weights["attention_output/kernel"].reshape(-1, output_dim), weights["attention_output/bias"]
    ours.output_projection.set_weights(output)
    assert_close(attend(ours, query, value, **masks), expected)


# ---- heads


@pytest.mark.parametrize("scorer", ["additive", "general", "location_aware"])
def test_one_head_is_the_scorer(rng, scorer):
    query, value = random_inputs(rng)
    plain, single = Attention(scorer), Attention(MultiHead(scorer, heads=1))
    for layer in (plain, single):
        layer.build(query.shape, value.shape)
    copy_weights(plain, single)
    (context, alignment), expected = attend(single, query, value, **MASKS), attend(plain, query, value, **MASKS)
    assert alignment.shape == (2, 1, 4, 5)
    assert_close((context, alignment[:, 0]), expected)


@pytest.mark.parametrize(
    "heads",
    [
        [Additive(8, name="a"), Additive(8, name="b")],
        [LocationAware(8, 2, 3, name="narrow"), LocationAware(8, 3, 5, features="both", name="wide")],
        [General(name="general"), LocationAware(8, 2, 3, name="location")],
    ],
    ids=["alike", "filters_of_different_widths", "recurrent_or_not"],
)
def test_each_head_is_an_attention_of_its_own(rng, heads):
    """Over its share of the values, with its own scorer, state and alignment."""
    query, value = random_inputs(rng)
    layer = Attention(MultiHead(heads))
    assert layer.recurrent == any(head.recurrent for head in heads)
    context, alignment = attend(layer, query, value, **MASKS)
    for i, head in enumerate(heads):
        single = Attention(head)
        expected = attend(single, query, value[..., 3 * i : 3 * i + 3], value, **MASKS)
        assert_close((context[..., 3 * i : 3 * i + 3], alignment[:, i]), expected)


@pytest.mark.parametrize("scorer", ["general", LocationAware(8, 2, 3, features="both")])
def test_steps_are_the_call(rng, scorer):
    assert_steps_are_the_call(Attention(MultiHead(scorer, heads=2)), *random_inputs(rng))


def test_copies_have_the_options_of_the_scorer_and_weights_of_their_own():
    scorer = MultiHead(Additive(units=8, use_bias=False), heads=3)
    scorer.build((None, None, 4), (None, None, 6))
    assert [(head.name, head.units, head.use_bias) for head in scorer.scorers] == [
        ("head_0", 8, False),
        ("head_1", 8, False),
        ("head_2", 8, False),
    ]
    assert len({id(weight) for weight in scorer.weights}) == len({weight.path for weight in scorer.weights}) == 9
    first, second = (to_numpy(head.energy.value) for head in scorer.scorers[:2])
    assert np.all(first != second)


def test_by_name_there_are_four_projected_dots():
    scorer = Attention("multi_head").scorer
    assert scorer.heads == 4 and {type(head) for head in scorer.scorers} == {ProjectedDot}


def test_dtype_reaches_the_heads():
    for given in ("additive", ["additive", "general"]):
        heads = MultiHead(given, dtype="mixed_float16").scorers
        assert {head.dtype_policy.name for head in heads} == {"mixed_float16"}


def test_saved_and_loaded_it_is_the_same(rng, tmp_path):
    query, value = random_inputs(rng)
    inputs = [keras.Input((None, x.shape[-1])) for x in (query, value)]
    scorer = MultiHead([LocationAware(8, 2, 3), Additive(8)])
    model = keras.Model(inputs, Attention(scorer)(*inputs, return_attention_scores=True))
    again = reloaded(model, tmp_path / "model.keras")
    assert_same(to_numpy(again([query, value])), to_numpy(model([query, value])))


# ---- errors


@pytest.mark.parametrize(
    ("scorer", "heads", "message"),
    [
        ("additive", 0, r"at least one head. Received: heads=0"),
        ([], None, r"a scorer for each head, and at least one. Received: 0 scorers, heads=None"),
        (["additive", "general"], 3, r"a scorer for each head.* Received: 2 scorers, heads=3"),
        ("multi_head", 2, r"not heads within heads. Received: a MultiHead with heads=4"),
        (["additive", MultiHead(heads=3)], None, r"not heads within heads. Received: a MultiHead with heads=3"),
        (["additive", LogWeights()], 2, r"from all heads or from none.*{'Additive': False, 'LogWeights': True}"),
    ],
)
def test_errors(scorer, heads, message):
    with pytest.raises(ValueError, match=message):
        MultiHead(scorer, heads)


@pytest.mark.parametrize("scorer", [Dot(), ScaledDot(), product_of_means])
def test_copies_without_weights_would_be_the_same(scorer):
    message = r"expected a scorer with weights.*'projected_dot'.*heads=2"
    with pytest.raises(ValueError, match=message):
        MultiHead(scorer, heads=2).build((None, None, 4), (None, None, 4))
    MultiHead(scorer, heads=1).build((None, None, 4), (None, None, 4))


def test_different_scorers_without_weights_may_stand_side_by_side():
    MultiHead([Dot(), ScaledDot()]).build((None, None, 4), (None, None, 4))


def test_log_weights_of_all_heads_are_log_weights():
    assert MultiHead([LogWeights(), LogWeights()]).log_weights
    assert not MultiHead().log_weights
