import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import Additive, LocationAware

CHANNELS = {"previous": 1, "cumulative": 1, "both": 2}


def build(features="previous", kernel_size=3):
    scorer = LocationAware(units=8, filters=2, kernel_size=kernel_size, features=features)
    scorer.build((None, None, 4), (None, None, 6))
    return scorer


def weights_of(scorer):
    return {weight.path.split("/", 1)[1]: ops.convert_to_numpy(weight) for weight in scorer.weights}


def oracle(weights, query, key, channels):
    """Scores of one query of one row, element by element; `channels` are the alignments seen."""
    kernel = weights["convolution/kernel"]  # (kernel_size, channels, filters)
    reach = len(kernel) // 2
    scores = []
    for j in range(len(key)):
        features = np.zeros(kernel.shape[-1])
        for offset in range(-reach, reach + 1):
            if 0 <= j + offset < len(key):
                for channel, alignment in enumerate(channels):
                    features += kernel[offset + reach, channel] * alignment[j + offset]
        hidden = (
            weights["query_projection/kernel"].T @ query
            + weights["query_projection/bias"]
            + weights["key_projection/kernel"].T @ key[j]
            + weights["location_projection/kernel"].T @ features
        )
        scores.append(weights["energy"] @ np.tanh(hidden))
    return np.array(scores)


@pytest.mark.parametrize("kernel_size", [3, 11], ids=["narrow", "wider_than_memory"])
@pytest.mark.parametrize("features", CHANNELS)
def test_numpy_oracle_over_several_queries(rng, features, kernel_size):
    queries, keys = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((4, 4), (6, 6)))
    mask = np.arange(6) < np.array([[6], [4]])
    attention = Attention(build(features, kernel_size))
    attention.build(queries.shape, keys.shape)
    for weight in attention.weights:
        weight.assign(rng.normal(size=weight.shape))
    _, alignment = attention(queries, keys, value_mask=mask, return_attention_scores=True)
    weights = weights_of(attention.scorer)
    weights = {path.removeprefix("location_aware/"): value for path, value in weights.items()}
    for row in range(2):
        previous, cumulative = mask[row] / mask[row].sum(), np.zeros(6)
        for i in range(4):
            channels = {"previous": [previous], "cumulative": [cumulative], "both": [previous, cumulative]}[features]
            scores = oracle(weights, queries[row, i], keys[row] * mask[row][:, None], channels)
            exponentials = np.exp(scores - scores.max()) * mask[row]
            previous = exponentials / exponentials.sum()
            cumulative = cumulative + previous
            np.testing.assert_allclose(ops.convert_to_numpy(alignment)[row, i], previous, atol=1e-5)


@pytest.mark.parametrize("features", CHANNELS)
def test_state_holds_what_it_sees(features):
    scorer = build(features)
    first, second = ops.convert_to_tensor([[0.5, 0.5]]), ops.convert_to_tensor([[0.25, 0.75]])
    state = scorer.initial_state({}, first)
    expected = {"previous": [[0.5, 0.5]], "cumulative": [[0, 0]]}
    assert set(state) == ({"previous", "cumulative"} if features == "both" else {features})
    for name in state:
        np.testing.assert_array_equal(ops.convert_to_numpy(state[name]), expected[name])
    for _ in range(2):
        state = scorer.next_state(state, second, None, None)
    expected = {"previous": [[0.25, 0.75]], "cumulative": [[0.5, 1.5]]}
    for name in state:
        np.testing.assert_array_equal(ops.convert_to_numpy(state[name]), expected[name])


def test_with_location_weights_of_0_it_is_additive(rng):
    queries, keys = (rng.normal(size=(2, t, dim)).astype("float32") for t, dim in ((3, 4), (5, 6)))
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
    key, alignment = np.zeros((1, 20, 6), "float32"), np.zeros((1, 20), "float32")
    key[0, 5:10], alignment[0, 5:10] = rng.normal(size=(5, 6)), rng.random(5)
    scores = [
        ops.convert_to_numpy(
            scorer.score(
                query,
                scorer.prepare(ops.convert_to_tensor(np.roll(key, by, 1))),
                {"previous": ops.convert_to_tensor(np.roll(alignment, by, 1))},
            )
        )[0, 0]
        for by in (0, 4)
    ]
    np.testing.assert_allclose(scores[0][3:14], scores[1][7:18], atol=1e-5)


def test_errors():
    with pytest.raises(ValueError, match=r"one of \['both', 'cumulative', 'previous'\]. Received: features='all'"):
        LocationAware(features="all")
    for size in (4, 0):
        with pytest.raises(ValueError, match=rf"an odd number of frames. Received: kernel_size={size}"):
            LocationAware(kernel_size=size)
