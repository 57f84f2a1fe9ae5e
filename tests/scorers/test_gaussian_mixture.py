import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import GaussianMixture
from tests.contract import gradients
from tests.scorers import unrolled

FORMS = ["graves", "exponential", "softplus"]


def mixture(weights, query, form):
    """Weights, steps, widths and normalisers of the components for a query."""
    hidden = np.tanh(weights["hidden/kernel"].T @ query + weights["hidden/bias"])
    u, step, width = (
        weights[f"{name}_projection/kernel"].T @ hidden + weights[f"{name}_projection/bias"]
        for name in ("weight", "step", "width")
    )
    step, width = (np.log1p(np.exp(x)) if form == "softplus" else np.exp(x) for x in (step, width))
    if form == "graves":
        return np.exp(u), step, width, np.ones_like(u)
    return np.exp(u) / np.exp(u).sum(), step, width, np.sqrt(2 * np.pi * width**2)


@pytest.mark.parametrize("alignment", ["softmax", "exponential"])
@pytest.mark.parametrize("form", FORMS)
def test_numpy_oracle_over_several_queries(rng, form, alignment):
    def oracle(weights, queries, key, mask, alignments):
        mean = sum(mixture(weights, query, form)[1] for query in queries)
        weight, _, width, norm = mixture(weights, queries[-1], form)
        frames = np.cumsum(mask) - mask
        return np.log([np.sum(weight / norm * np.exp(-((j - mean) ** 2) / (2 * width**2))) for j in frames])

    unrolled.assert_attends_as(oracle, GaussianMixture(3, form, units=8), rng, alignment, scale=0.3)


@pytest.mark.parametrize("form", FORMS)
def test_it_starts_with_the_steps_and_widths_asked_for(form):
    """Queries of 0 give equal components: one Gaussian, which moves on evenly."""
    scorer = GaussianMixture(form=form, units=8, initial_step=3.5, initial_width=2.0)
    attention = Attention(scorer)
    _, alignment = attention(ops.zeros((1, 4, 6)), ops.zeros((1, 100, 2)), return_attention_scores=True)
    for i, weights in enumerate(ops.convert_to_numpy(alignment)[0], start=1):
        expected = np.exp(-((np.arange(100) - 3.5 * i) ** 2) / 8)
        np.testing.assert_allclose(weights, expected / expected.sum(), atol=1e-5)


@pytest.mark.parametrize("form", ["exponential", "softplus"])
def test_normalised_forms_add_up_to_1_unless_they_leave_the_memory(rng, form):
    attention = Attention(GaussianMixture(form=form, units=8, initial_step=30.0, initial_width=3.0), "exponential")
    query = ops.cast(0.1 * rng.normal(size=(2, 5, 6)), "float32")
    _, alignment = attention(query, ops.zeros((2, 100, 1)), return_attention_scores=True)
    totals = ops.convert_to_numpy(alignment).sum(-1)
    np.testing.assert_allclose(totals[:, :2], 1, atol=1e-4)
    np.testing.assert_allclose(totals[:, 4], 0, atol=1e-4)


def test_the_keys_take_no_part(rng):
    attention = Attention(GaussianMixture(units=8))
    query, value = (ops.cast(rng.normal(size=(2, t, 4)), "float32") for t in (3, 5))
    contexts = [ops.convert_to_numpy(attention(query, value, key)) for key in (value, 5 * value)]
    np.testing.assert_array_equal(*contexts)


@pytest.mark.parametrize("alignment", ["softmax", "exponential"])
@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_finite_whatever_the_network_says(form, alignment):
    """Components of huge and of tiny steps and widths."""
    attention = Attention(GaussianMixture(4, form, units=3), alignment)
    attention.build((1, 4, 1), (1, 9, 1))
    attention.scorer.step_projection.bias.assign([1e4, 1e4, -1e4, -1e4])
    attention.scorer.width_projection.bias.assign([1e4, -1e4, 1e4, -1e4])
    value = ops.reshape(ops.arange(9, dtype="float32"), (1, 9, 1))
    query = keras.Variable(np.ones((1, 4, 1)), dtype="float32")
    grads = gradients(lambda: ops.sum(attention(query.value[:], value)), [query, *attention.trainable_variables])
    assert all(np.isfinite(x).all() for x in (ops.convert_to_numpy(attention(query, value)), *grads))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"components": 0}, "at least one. Received: components=0"),
        ({"form": "v1"}, r"one of \['graves', 'exponential', 'softplus'\]. Received: form='v1'"),
        ({"initial_step": 0}, "a positive number of frames. Received: initial_step=0"),
        ({"initial_width": float("inf")}, "a positive number of frames. Received: initial_width=inf"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**options)
