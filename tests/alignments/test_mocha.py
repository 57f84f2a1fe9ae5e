import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import Attention, alignments, scorers
from keras_attn.alignments.mocha import MoChA, spread_over_all_before, spread_over_chunks
from keras_attn.alignments.monotonic import Monotonic
from tests.alignments.given_scores import MASK, attend, random_scores, softmax
from tests.alignments.test_monotonic import step, unroll
from tests.backends import gradients, to_numpy

SIZES = pytest.mark.parametrize("size", [1, 2, 3, 6, 20, None])


def chunk_scores(query, key):
    """Other numbers than the scores."""
    return 3 * ops.sin(2 * ops.matmul(query, ops.swapaxes(key, 1, 2)))


def spread(chosen, scores, mask, size):
    """The weight of every frame, over the chunk that ends with it."""
    weights = np.zeros(len(chosen))
    for k in np.flatnonzero(chosen):
        chunk = [j for j in range(max(0, k - (size or k + 1) + 1), k + 1) if mask[j]]
        weights[chunk] += chosen[k] * softmax(scores[chunk] - scores[chunk].max())
    return weights


def spread_all(chosen, scores, mask, size):
    rows = [spread(*row, size) for row in zip(chosen, scores, mask, strict=True)]
    return np.array(rows)


def spread_tensors(chosen, scores, mask, size):
    chosen, scores, mask = (ops.convert_to_tensor(x) for x in (chosen, scores, mask))
    if size is None:
        return to_numpy(spread_over_all_before(chosen, scores, mask))
    return to_numpy(spread_over_chunks(chosen, scores, mask, size))


@SIZES
@pytest.mark.parametrize("spread_of_scores", [1, 30, 1000])
def test_chunks(rng, size, spread_of_scores):
    """Also where exponentials of the scores overflow, and where all but a few vanish."""
    mask = rng.random((20, 12)) < 0.8
    chosen = (rng.random((20, 12)) * mask / 12).astype("float32")
    scores = rng.uniform(-1, 1, size=(20, 12)).astype("float32") * spread_of_scores
    expected = spread_all(chosen, scores.astype("float64"), mask, size)
    np.testing.assert_allclose(expected.sum(-1), chosen.sum(-1), rtol=1e-5)
    np.testing.assert_allclose(spread_tensors(chosen, scores, mask, size), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("slope", [-0.2, 0.2])
def test_chunks_of_a_long_memory_whose_scores_rise_or_fall_all_along(slope):
    scores = (slope * np.arange(-5000, 5000)).astype("float32")
    chosen = np.zeros(10_000, "float32")
    chosen[[10, 5000, 9999]] = 0.25, 0.25, 0.5
    mask = np.ones(10_000, bool)
    for size in (4, None):
        expected = spread(chosen, scores.astype("float64"), mask, size)
        np.testing.assert_allclose(spread_tensors(chosen, scores, mask, size), expected, rtol=1e-3, atol=1e-7)


@SIZES
def test_numpy_oracle(rng, size):
    scores = random_scores(rng)
    chosen = unroll(step, scores)
    expected = [spread_all(chosen[:, i], 3 * np.sin(2 * scores[:, i]), MASK, size) for i in range(4)]
    alignment = attend(MoChA(size, chunk_scores), scores)
    np.testing.assert_allclose(alignment, np.stack(expected, axis=1), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("mode", ["parallel", "recursive", "hard", "median", "auto"])
@pytest.mark.parametrize("training", [True, False])
def test_a_chunk_of_one_frame_is_monotonic(rng, mode, training):
    scores, options = random_scores(rng), {"mode": mode, "noise": 0.5, "bias": 0.3, "seed": 1}
    expected = attend(Monotonic(**options), scores, training=training)
    np.testing.assert_array_equal(attend(MoChA(1, "dot", **options), scores, training=training), expected)


@pytest.mark.parametrize(("mode", "decision"), [("hard", "hard"), ("median", "median"), ("auto", "median")])
def test_a_decision_is_a_softmax_over_the_chunk_that_ends_at_the_chosen_frame(rng, mode, decision):
    scores, size = random_scores(rng, queries=6), 3
    chosen = attend(Monotonic(decision, bias=-1.0), scores)
    alignment = attend(MoChA(size, chunk_scores, mode, bias=-1.0), scores)
    assert 0 < chosen.sum() < chosen[..., 0].size
    for row, i in np.ndindex(2, 6):
        expected = np.zeros(6)
        if np.any(chosen[row, i]):
            k = np.argmax(chosen[row, i])
            chunk = [j for j in range(max(0, k - size + 1), k + 1) if MASK[row, j]]
            expected[chunk] = softmax(3 * np.sin(2 * scores[row, i, chunk]))
        np.testing.assert_allclose(alignment[row, i], expected, rtol=1e-5)


# ---- heads


@pytest.mark.parametrize("size", [2, None])
@pytest.mark.parametrize("chunk_heads", [None, 2])
def test_heads_have_chunk_scores_of_their_own_or_share_them(rng, size, chunk_heads):
    chunk_scorer = scorers.General() if chunk_heads is None else scorers.MultiHead("general", chunk_heads)
    attention = Attention(scorers.MultiHead("general", 2), MoChA(size, chunk_scorer))
    query, value = (rng.normal(size=(2, t, 4)).astype("float32") for t in (3, 6))
    alignment = to_numpy(attention(query, value, value_mask=MASK, return_attention_scores=True)[1])
    position = ops.zeros((2, 3))
    value = value * MASK[..., None]  # as Attention passes it on
    memory, chunk_memory = attention.scorer.prepare(value), chunk_scorer.prepare(value)
    scores = to_numpy(attention.scorer.score(query, memory, {"position": position}))
    of_chunks = to_numpy(chunk_scorer.score(query, chunk_memory, {"position": position}))
    for head in range(2):
        u = of_chunks if chunk_heads is None else of_chunks[:, head]
        chosen = unroll(step, scores[:, head])
        expected = [spread_all(chosen[:, i], u[:, i], MASK, size) for i in range(3)]
        np.testing.assert_allclose(alignment[:, head], np.stack(expected, axis=1), rtol=1e-4, atol=1e-6)


# ---- the chunk scorer


@keras.saving.register_keras_serializable(package="test_mocha")
class CallsForFrame(scorers.Scorer):
    """The score is high where the number of the query is that of the frame."""

    def score(self, query, memory, state):
        frames = ops.arange(ops.shape(memory["key"])[1], dtype="float32")
        return -100 * ops.abs(ops.cast(state["position"], "float32")[..., None] - frames)


def test_the_chunk_scorer_is_told_the_number_of_the_query():
    scores = np.full((1, 4, 5), -200, "float32")
    scores[:, :, -1] = 200
    alignment = attend(MoChA(None, CallsForFrame()), scores, np.ones((1, 5), bool))
    np.testing.assert_allclose(alignment[0], np.eye(5)[:4], atol=1e-6)


def test_the_chunk_scorer_is_trained(rng):
    attention = Attention("dot", MoChA(2, "additive"))
    query, value = (rng.normal(size=(2, t, 4)).astype("float32") for t in (3, 6))
    attention(query, value)
    grads = gradients(lambda: ops.sum(ops.square(attention(query, value))), attention.trainable_weights)
    assert len(grads) == 5  # the bias of the scores, and what the additive scorer has
    assert all(np.any(np.abs(gradient) > 1e-6) for gradient in grads)


@pytest.mark.parametrize("size", [1, 3, None])
@pytest.mark.parametrize("spread_of_scores", [1, 1000])
def test_gradients_of_chunks(rng, size, spread_of_scores):
    """Finite for empty rows and wide scores, 0 where masked."""
    mask = np.array([rng.random(9) < 0.7, np.zeros(9, bool)])
    chosen = keras.Variable(rng.random((2, 9)) * mask, dtype="float32")
    scores = keras.Variable(rng.uniform(-1, 1, size=(2, 9)) * spread_of_scores, dtype="float32")

    def loss():
        real = ops.convert_to_tensor(mask)
        if size is None:
            weights = spread_over_all_before(chosen.value[:], scores.value[:], real)
        else:
            weights = spread_over_chunks(chosen.value[:], scores.value[:], real, size)
        return ops.sum(weights * ops.arange(1, 10, dtype="float32") ** 2)

    of_chosen, of_scores = gradients(loss, [chosen, scores])
    assert np.isfinite(of_chosen).all() and np.isfinite(of_scores).all()
    assert np.all(of_scores[~mask] == 0) and np.any(of_chosen[0] > 0)
    assert spread_of_scores > 1 or np.any(of_scores[0] != 0) == (size != 1)


@pytest.mark.parametrize("size", [3, None])
def test_gradient_of_the_chunk_scores_equals_differences(rng, size):
    """Where all that is real is one chunk, that of its softmax; else in small differences."""
    mask, chosen = np.ones((1, 6), bool), rng.random((1, 6)).astype("float32")
    scores, direction = keras.Variable(rng.normal(size=(1, 6)), dtype="float32"), rng.normal(size=(1, 6))
    weigh = rng.normal(size=6)
    functions = {3: lambda *x: spread_over_chunks(*x, 3), None: spread_over_all_before}

    def loss():
        weights = functions[size](ops.convert_to_tensor(chosen), scores.value[:], ops.convert_to_tensor(mask))
        return ops.sum(weights * ops.convert_to_tensor(weigh, dtype="float32"))

    (gradient,) = gradients(loss, [scores])
    e = to_numpy(scores.value).astype("float64")
    ends = [spread_all(chosen, e + sign * 1e-5 * direction, mask, size) @ weigh for sign in (1, -1)]
    np.testing.assert_allclose(np.sum(gradient * direction), (ends[0] - ends[1])[0] / 2e-5, rtol=1e-4)


# ---- configuration


def test_config_survives():
    config = MoChA(None, scorers.Additive(units=8), "auto", noise=1.0, bias=-4.0, seed=3).get_config()
    again = MoChA.from_config(config)
    assert again.chunk_size is None and again.chunk_scorer.units == 8
    assert again.get_config() == config


def test_names():
    assert alignments.get("mocha").chunk_size == 4 and alignments.get("milk").chunk_size is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chunk_size": 0}, r"at least one frame, or None for all. Received: chunk_size=0"),
        ({"mode": "soft"}, r"'parallel', 'recursive', 'hard', 'median', 'auto'\]. Received: mode='soft'"),
        ({"chunk_scorer": "location_aware"}, r"that is not recurrent.* Received: chunk_scorer=LocationAware"),
        ({"chunk_scorer": scorers.MultiHead("location_aware")}, r"that is not recurrent.* chunk_scorer=MultiHead"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        MoChA(**options)


def test_a_chunk_scorer_of_log_weights_is_refused():
    class LogWeights(scorers.Scorer):
        log_weights = True

    with pytest.raises(ValueError, match=r"of energies.* Received: chunk_scorer=LogWeights"):
        MoChA(chunk_scorer=LogWeights())


def test_heads_that_do_not_fit_are_refused():
    chunk_scorer = scorers.MultiHead("general", 2)
    for scorer in ("dot", scorers.MultiHead("general", 3)):
        with pytest.raises(ValueError, match=r"Received: a scorer with heads=(None|3), a chunk scorer with heads=2"):
            Attention(scorer, MoChA(chunk_scorer=chunk_scorer))
