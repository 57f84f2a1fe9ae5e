import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.alignments.entmax import Entmax
from keras_attn.alignments.entmax15 import Entmax15
from keras_attn.alignments.softmax import Softmax
from keras_attn.alignments.sparsemax import Sparsemax
from tests.contract import gradients, to_numpy, weighed


def align(scores, alignment):
    return to_numpy(alignment.align(ops.cast(scores, "float32"), ops.ones(scores.shape, dtype="bool")))


def learnable(alpha, dtype="float32"):
    entmax = Entmax(alpha, learnable=True, dtype=dtype)
    entmax.build((None, None, 3), (None, None, 3), (None, None, 3))
    return entmax


def oracle(scores, alpha):
    """Bisection for tau, which lies between 0 and 1 below the largest of the scaled scores."""
    z = (alpha - 1) * np.asarray(scores, "float64")
    low, high = z.max() - 1, z.max()
    for _ in range(100):
        middle = (low + high) / 2
        if sum(max(value - middle, 0) ** (1 / (alpha - 1)) for value in z) > 1:
            low = middle
        else:
            high = middle
    return np.array([max(value - low, 0) ** (1 / (alpha - 1)) for value in z])


@pytest.mark.parametrize("alpha", [1.05, 1.25, 1.5, 1.9, 2])
@pytest.mark.parametrize("scale", [0.01, 1, 30])
def test_numpy_oracle(rng, alpha, scale):
    scores = scale * rng.normal(size=(20, 9))
    np.testing.assert_allclose(align(scores, Entmax(alpha)), [oracle(row, alpha) for row in scores], atol=5e-6)


def test_special_cases(rng):
    scores = rng.normal(size=(20, 9))
    np.testing.assert_allclose(align(scores, Entmax(2)), align(scores, Sparsemax()), atol=1e-6)
    np.testing.assert_allclose(align(scores, Entmax(1.5)), align(scores, Entmax15()), atol=1e-6)
    for alpha in (1 + 1e-4, 1 + 1e-6, 1 + 1e-9):  # no rounding noise on the way to softmax
        np.testing.assert_allclose(align(scores, Entmax(alpha)), align(scores, Softmax()), atol=2 * (alpha - 1) + 1e-6)


def test_the_larger_alpha_the_sparser(rng):
    scores = rng.normal(size=(50, 12))
    support = [np.sum(align(scores, Entmax(alpha)) > 0, axis=-1) for alpha in (1.01, 1.2, 1.5, 1.8, 2)]
    assert np.all(np.diff(support, axis=0) <= 0) and support[0].sum() > support[-1].sum()


@pytest.mark.parametrize("alpha", [1.01, 1.3, 1.99])
def test_learnable_starts_at_alpha(rng, alpha):
    scores = rng.normal(size=(4, 9))
    entmax = learnable(alpha)
    assert [weight.path.split("/")[-1] for weight in entmax.trainable_weights] == ["alpha_logit"]
    np.testing.assert_allclose(align(scores, entmax), align(scores, Entmax(alpha)), atol=1e-6)
    assert not Entmax(alpha).weights


@pytest.mark.parametrize("logit", [-60.0, 60.0])
def test_learnable_stays_between_softmax_and_sparsemax(rng, logit):
    scores = rng.normal(size=(4, 9))
    entmax = learnable(1.5)
    entmax.alpha_logit.assign(logit)
    np.testing.assert_allclose(align(scores, entmax), align(scores, Softmax() if logit < 0 else Sparsemax()), atol=1e-6)
    mask = ops.ones((4, 9), dtype="bool")
    (gradient,) = gradients(lambda: weighed([entmax.align(ops.cast(scores, "float32"), mask)]), entmax.weights)
    assert np.isfinite(gradient)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="Keras promotes float64 to float32 elsewhere")
@pytest.mark.parametrize("alpha", [1.02, 1.3, 1.5, 1.9])
def test_gradient_of_alpha_equals_finite_differences_in_float64(rng, alpha):
    scores, mask = rng.normal(size=(5, 7)), rng.random((5, 7)) < 0.8
    mask[0] = False
    entmax = learnable(alpha, "float64")

    def loss():
        return weighed([entmax.align(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask))])

    (gradient,) = gradients(loss, entmax.weights)
    logit, ends = float(to_numpy(entmax.alpha_logit.value)), []
    for step in (1e-6, -1e-6):
        entmax.alpha_logit.assign(logit + step)
        ends.append(float(to_numpy(loss())))
    assert abs(gradient) > 1e-5
    np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, gradient, rtol=1e-6, atol=1e-9)


def test_alpha_is_learnt_and_saved(rng, tmp_path):
    """Sparse targets make alpha larger."""
    inputs = [keras.Input((None, 4)), keras.Input((None, 4))]
    attention = Attention("dot", Entmax(1.3, learnable=True, name="entmax"), name="attention")
    model = keras.Model(inputs, attention(*inputs, return_attention_scores=True)[1])
    query, value = (rng.normal(size=(8, t, 4)).astype("float32") for t in (3, 5))
    target = to_numpy(Attention("dot", Sparsemax())(query, value, return_attention_scores=True)[1])
    before = float(to_numpy(attention.alignment.alpha_logit.value))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit([query, value], target, epochs=2, verbose=0)
    assert to_numpy(attention.alignment.alpha_logit.value) > before
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*(x.predict([query, value], verbose=0) for x in (model, again)))


def test_it_trains(rng):
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, Attention("general", Entmax(learnable=True))(inputs))
    model.compile("sgd", "mse")
    value = rng.normal(size=(2, 5, 4)).astype("float32")
    assert np.isfinite(model.fit(value, value, verbose=0).history["loss"]).all()
    np.testing.assert_allclose(model.predict(value, verbose=0), to_numpy(model(value)), atol=1e-5)


@pytest.mark.parametrize("alpha", [1, 0.5, 2.1, float("nan")])
def test_alpha_is_above_1_and_up_to_2(alpha):
    with pytest.raises(ValueError, match=rf"a number above 1, up to 2. Received: alpha={alpha}"):
        Entmax(alpha)


def test_an_alpha_to_be_learnt_is_below_2():
    with pytest.raises(ValueError, match=r"between 1 and 2, as it is to be learnt. Received: alpha=2"):
        Entmax(2, learnable=True)
