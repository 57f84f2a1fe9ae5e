import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.alignments.gumbel_softmax import GumbelSoftmax
from keras_attn.alignments.hardmax import Hardmax
from keras_attn.alignments.softmax import Softmax
from tests.contract import gradients, to_numpy, weighed

SCORES = np.array([[0.3, -1.0, 2.0, 9.0], [0.0, 5.0, 0.5, 1.0]], "float32")
MASK = np.array([[True, True, True, False], [True, False, True, True]])


def build(**options):
    alignment = GumbelSoftmax(**{"seed": 1, **options})
    alignment.build((None, None, 3), (None, None, 3), (None, None, 3))
    return alignment


def align(alignment, scores=SCORES, mask=MASK, training=None):
    return to_numpy(alignment.align(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask), training=training))


def many(scores=SCORES, mask=MASK, copies=20_000, **options):
    """Samples ``(copies, batch, Tv)``."""
    return align(build(**options), np.repeat(scores[None], copies, axis=0), mask, training=True)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_outside_training_it_is_softmax_or_hardmax(temperature):
    expected = align(Softmax(temperature=temperature))
    np.testing.assert_array_equal(align(build(temperature=temperature)), expected)
    np.testing.assert_array_equal(align(build(temperature=temperature, hard=True)), align(Hardmax()))


@pytest.mark.parametrize("hard", [True, False])
def test_the_largest_weight_is_a_sample_of_softmax(hard):
    """The Gumbel-max theorem, for any temperature."""
    samples = many(hard=hard, temperature=0.7)
    frequencies = (samples == samples.max(-1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(frequencies, align(Softmax()), atol=0.015)


def test_noise_is_gumbel_noise():
    """The difference of two Gumbel variables is logistic, so the sigmoid of it is uniform."""
    samples = many(np.zeros((1, 2), "float32"), np.ones((1, 2), bool))[:, 0, 0]
    quantiles = np.quantile(samples, np.linspace(0.1, 0.9, 9))
    np.testing.assert_allclose(quantiles, np.linspace(0.1, 0.9, 9), atol=0.015)


def test_hard_samples_are_one_hot_and_soft_ones_add_up_to_1():
    hard, soft = many(copies=100, hard=True), many(copies=100)
    assert set(np.unique(hard)) == {0, 1}
    for samples in (hard, soft):
        np.testing.assert_allclose(samples.sum(-1), 1, atol=1e-6)
        assert np.all(samples[:, ~MASK] == 0)
    np.testing.assert_array_equal(soft.argmax(-1), hard.argmax(-1))  # the same seed
    cold = many(copies=100, temperature=1e-4)
    assert np.mean(np.abs(cold - hard).max(-1) < 1e-3) > 0.99


def test_hard_has_the_gradient_of_soft():
    scores = keras.Variable(SCORES)

    def gradient(hard):
        alignment = build(hard=hard)
        mask = ops.convert_to_tensor(MASK)
        return gradients(lambda: weighed([alignment.align(scores.value[:], mask, training=True)]), [scores])[0]

    np.testing.assert_array_equal(gradient(True), gradient(False))
    assert np.any(gradient(True) != 0)


@pytest.mark.parametrize("hard", [True, False])
def test_masked_scores_and_empty_rows(hard):
    mask = MASK & [[True], [False]]
    scores = keras.Variable(np.where(mask, SCORES, np.nan).astype("float32"))
    weights = align(build(hard=hard), scores.value[:], mask, training=True)
    np.testing.assert_array_equal(weights, align(build(hard=hard), SCORES, mask, training=True))
    assert np.all(weights[~mask] == 0)
    alignment = build(hard=hard)
    (gradient,) = gradients(
        lambda: weighed([alignment.align(scores.value[:], ops.convert_to_tensor(mask), training=True)]), [scores]
    )
    assert np.isfinite(gradient).all() and np.all(gradient[~mask] == 0)
    assert align(build(hard=hard), np.zeros((2, 0), "float32"), np.ones((2, 0), bool), training=True).shape == (2, 0)


def test_seeds_and_calls_differ():
    first = build()
    samples = align(first, training=True), align(first, training=True), align(build(seed=2), training=True)
    assert np.any(samples[0] != samples[1]) and np.any(samples[0] != samples[2])
    np.testing.assert_array_equal(samples[0], align(build(), training=True))


@pytest.mark.parametrize("scorer", ["general", "location_aware"])
def test_in_a_model_that_is_trained_and_saved(tmp_path, scorer):
    """Also in the loop over queries of a recurrent scorer, where every query gets noise of its own."""
    attention = Attention(scorer, GumbelSoftmax(seed=1), name="attention")
    inputs = [keras.Input((None, 4)), keras.Input((None, 4))]
    model = keras.Model(inputs, attention(*inputs, return_attention_scores=True)[1])
    arrays = [np.ones((2, 3, 4), "float32"), np.zeros((2, 5, 4), "float32")]
    alignment = to_numpy(model(arrays, training=True))
    assert np.ptp(alignment, axis=1).min() > 0
    model.compile("sgd", "mse")
    model.fit(arrays, np.ones((2, 3, 5)), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(to_numpy(again(arrays)), to_numpy(model(arrays)))


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_errors(temperature):
    with pytest.raises(ValueError, match=rf"a positive number. Received: temperature={temperature}"):
        GumbelSoftmax(temperature=temperature)
