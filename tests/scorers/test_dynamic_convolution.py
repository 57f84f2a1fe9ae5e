import math

import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import DynamicConvolution
from keras_attn.scorers.dynamic_convolution import beta_binomial
from tests.scorers import unrolled


def prior(alignment, steps, j):
    """Probability of being at frame ``j`` after a step forward."""
    return sum(steps[k] * alignment[j - k] for k in range(len(steps)) if j - k >= 0)


@pytest.mark.parametrize("kernel_size", [3, 13], ids=["narrow", "wider_than_memory"])
def test_numpy_oracle_over_several_queries(rng, kernel_size):
    steps = beta_binomial(4, 0.5, 1.5)

    def oracle(weights, queries, key, mask, alignments):
        start = np.arange(len(mask)) == np.flatnonzero(mask)[0]
        previous = alignments[-1] if len(queries) > 1 else start
        hidden = np.tanh(weights["hidden/kernel"].T @ queries[-1] + weights["hidden/bias"])
        dynamic_kernel = (weights["kernel_projection/kernel"].T @ hidden).reshape(kernel_size, 1, 3)
        scores = []
        for j in range(len(mask)):
            f = unrolled.convolution(weights["convolution/kernel"], [previous], j)
            g = unrolled.convolution(dynamic_kernel, [previous], j)
            u, t = weights["static_projection/kernel"].T, weights["dynamic_projection/kernel"].T
            energy = weights["energy"] @ np.tanh(u @ f + t @ g + weights["bias"])
            scores.append(energy + math.log(max(prior(previous, steps, j), 1e-6)))
        return np.array(scores)

    scorer = DynamicConvolution(8, 2, kernel_size, 3, prior_length=4, prior_alpha=0.5, prior_beta=1.5)
    unrolled.assert_attends_as(oracle, scorer, rng)


def test_the_prior_moves_forward_alone():
    """Without energies, attention that was at the first real frame is there or up to 10 frames on, one on average."""
    scorer = DynamicConvolution(units=8)
    attention = Attention(scorer)
    value, mask = ops.zeros((1, 40, 1)), np.arange(40)[None] >= 5
    attention.build((1, 2, 1), value.shape)
    scorer.energy.assign(np.zeros(8))
    _, alignment = attention(ops.zeros((1, 2, 1)), value, value_mask=mask, return_attention_scores=True)
    first, second = ops.convert_to_numpy(alignment)[0].astype("float64")
    floor = 1e-6
    assert np.all(first[:5] == 0) and np.all(first[16:] < 2 * floor) and np.all(first[5:16] > 100 * floor)
    frames = np.arange(40) - 5
    np.testing.assert_allclose([first @ frames, second @ frames], [1, 2], atol=3e-3)


def test_the_prior_is_a_distribution_with_its_mean():
    for length, alpha, beta in ((11, 0.1, 0.9), (5, 3, 2), (1, 1, 1)):
        steps = beta_binomial(length, alpha, beta)
        np.testing.assert_allclose(sum(steps), 1, rtol=1e-12)
        mean = (length - 1) * alpha / (alpha + beta)
        np.testing.assert_allclose(np.arange(length) @ steps, mean, rtol=1e-12)
    np.testing.assert_allclose(beta_binomial(2, 0.1, 0.9), [0.9, 0.1], rtol=1e-12)


def test_the_query_shapes_the_filters(rng):
    scorer = DynamicConvolution(units=8, kernel_size=5)
    scorer.build((None, None, 4), (None, None, 3))
    alignment = ops.convert_to_tensor(np.eye(1, 9, 4, dtype="float32"))
    queries = [ops.cast(rng.normal(size=(1, 1, 4)), "float32") for _ in range(2)]
    first, second = (ops.convert_to_numpy(scorer.dynamic_features(query, alignment))[0] for query in queries)
    assert np.all(first[:2] == 0) and np.all(first[7:] == 0) and np.all(first[2:7] != 0)
    assert np.abs(first - second).max() > 1e-2


def test_the_keys_take_no_part(rng):
    attention = Attention(DynamicConvolution(units=8))
    query, value = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    contexts = [ops.convert_to_numpy(attention(query, value, key)) for key in (value, 5 * value)]
    np.testing.assert_array_equal(*contexts)


def test_an_empty_memory():
    context = Attention(DynamicConvolution(units=8))(ops.ones((2, 3, 4)), ops.ones((2, 0, 5)))
    np.testing.assert_array_equal(ops.convert_to_numpy(context), np.zeros((2, 3, 5)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": 4}, "an odd number of frames. Received: kernel_size=4"),
        ({"prior_length": 0}, "at least one frame. Received: prior_length=0"),
        ({"prior_alpha": 0}, "a positive number. Received: prior_alpha=0"),
        ({"prior_beta": float("nan")}, "a positive number. Received: prior_beta=nan"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        DynamicConvolution(**options)
