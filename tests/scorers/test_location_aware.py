import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, scorers
from keras_attn.scorers import Additive, LocationAware
from tests.scorers import unrolled

FEATURES = ["previous", "cumulative", "both"]


def build(features="previous", kernel_size=3, history=1):
    scorer = LocationAware(units=8, filters=2, kernel_size=kernel_size, features=features, history=history)
    scorer.build((None, None, 4), (None, None, 5))
    return scorer


@pytest.mark.parametrize("kernel_size", [3, 13], ids=["narrow", "wider_than_memory"])
@pytest.mark.parametrize(("features", "history"), [*((name, 1) for name in FEATURES), ("previous", 3), ("both", 2)])
def test_numpy_oracle_over_several_queries(rng, features, history, kernel_size):
    def oracle(weights, queries, key, mask, alignments):
        previous = (alignments[:1] * history + alignments[1:])[-history:]
        cumulative = sum(alignments[1:], np.zeros(len(key)))
        channels = {"previous": previous, "cumulative": [cumulative], "both": [*previous, cumulative]}[features]

        def location(j):
            f = unrolled.convolution(weights["convolution/kernel"], channels, j)
            return weights["location_projection/kernel"].T @ f

        return unrolled.additive(weights, queries[-1], key, location)

    unrolled.assert_attends_as(oracle, build(features, kernel_size, history), rng)


@pytest.mark.parametrize("features", FEATURES)
def test_state_holds_what_it_sees(features):
    scorer = build(features, history=1 if features == "cumulative" else 3)
    alignments = [np.array([[a, 1 - a]], "float32") for a in (0.5, 0.25, 0.125)]
    state = scorer.initial_state({}, ops.convert_to_tensor(alignments[0]))
    expected = {"previous": [[[0.5] * 3, [0.5] * 3]], "cumulative": [[[0], [0]]]}
    assert set(state) == ({"previous", "cumulative"} if features == "both" else {features})
    for name in state:
        np.testing.assert_array_equal(ops.convert_to_numpy(state[name]), expected[name])
    for alignment in alignments[1:]:
        state = scorer.next_state(state, ops.convert_to_tensor(alignment), None, None)
    expected = {"previous": [[[0.5, 0.25, 0.125], [0.5, 0.75, 0.875]]], "cumulative": [[[0.375], [1.625]]]}
    for name in state:
        np.testing.assert_array_equal(ops.convert_to_numpy(state[name]), expected[name])


def test_with_location_weights_of_0_it_is_additive(rng):
    queries, keys = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((3, 4), (6, 5)))
    location, additive = Attention(build()), Attention(Additive(units=8))
    for attention in (location, additive):
        attention.build(queries.shape, keys.shape)
    location.scorer.location_projection.kernel.assign(np.zeros((2, 8)))
    for name in ("query_projection", "key_projection"):
        getattr(additive.scorer, name).set_weights(getattr(location.scorer, name).get_weights())
    additive.scorer.energy.assign(location.scorer.energy)
    results = (ops.convert_to_numpy(attention(queries, keys)) for attention in (location, additive))
    np.testing.assert_allclose(*results, atol=1e-6)


def test_shifting_memory_and_alignment_shifts_the_scores(rng):
    """What it knows of places is relative: no position is built in, except at the edges."""
    scorer = build()
    query = ops.cast(rng.normal(size=(1, 1, 4)), "float32")
    key, alignment = np.zeros((1, 20, 5), "float32"), np.zeros((1, 20), "float32")
    key[0, 5:10], alignment[0, 5:10] = rng.normal(size=(5, 5)), rng.random(5)
    scores = [
        ops.convert_to_numpy(
            scorer.score(
                query,
                scorer.prepare(ops.convert_to_tensor(np.roll(key, by, 1))),
                {"previous": ops.convert_to_tensor(np.roll(alignment, by, 1)[..., None])},
            )
        )[0, 0]
        for by in (0, 4)
    ]
    np.testing.assert_allclose(scores[0][3:14], scores[1][7:18], atol=1e-5)


def test_blind_to_older_alignments_a_history_is_plain(rng):
    queries, keys = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((4, 4), (6, 5)))
    plain, history = Attention(build("both")), Attention(build("both", history=3))
    for attention in (plain, history):
        attention.build(queries.shape, keys.shape)
    kernel = plain.scorer.convolution.get_weights()[0]
    history.scorer.set_weights(
        [*plain.scorer.get_weights()[:4], np.pad(kernel, [[0, 0], [2, 0], [0, 0]]), *plain.scorer.get_weights()[5:]]
    )
    results = (ops.convert_to_numpy(attention(queries, keys)) for attention in (plain, history))
    np.testing.assert_allclose(*results, atol=1e-6)


def test_an_empty_memory():
    context = Attention(build("both", kernel_size=1, history=2))(ops.ones((2, 3, 4)), ops.ones((2, 0, 5)))
    np.testing.assert_array_equal(ops.convert_to_numpy(context), np.zeros((2, 3, 5)))


def test_weights_are_named_after_their_parts():
    scorer = build("both", history=4)
    shapes = {path: value.shape for path, value in unrolled.weights_of(scorer).items()}
    assert shapes == {
        "query_projection/kernel": (4, 8),
        "query_projection/bias": (8,),
        "key_projection/kernel": (5, 8),
        "convolution/kernel": (3, 5, 2),
        "location_projection/kernel": (2, 8),
        "energy": (8,),
    }


def test_location_aware_2d_is_a_history_of_5():
    scorer = scorers.get("location_aware_2d")
    assert type(scorer) is LocationAware and scorer.history == 5 and scorer.features == "previous"


def test_errors():
    with pytest.raises(ValueError, match=r"one of \['both', 'cumulative', 'previous'\]. Received: features='all'"):
        LocationAware(features="all")
    for size in (4, 0):
        with pytest.raises(ValueError, match=rf"an odd number of frames. Received: kernel_size={size}"):
            LocationAware(kernel_size=size)
    for options in ({"history": 0}, {"history": 2, "features": "cumulative"}):
        with pytest.raises(ValueError, match=rf"at least one alignment.*Received: history={options['history']}"):
            LocationAware(**options)
