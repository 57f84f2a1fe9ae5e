"""Slow oracles with loops, spans whose times are known, padding and gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import metrics


def as_array(function):
    return lambda *arguments, **options: ops.convert_to_numpy(function(*arguments, **options))


word_alignment, word_spans = as_array(metrics.word_alignment), as_array(metrics.word_spans)
boundary_error, mass_inside = as_array(metrics.boundary_error), as_array(metrics.mass_inside)


def word_case():
    rng = np.random.default_rng(1)
    alignment = rng.dirichlet(np.full(9, 0.3), size=(3, 7)).astype("float32")
    word_ids = np.array([[0, 0, -1, 1, 1, 1, -1], [2, 2, -1, 0, 1, -1, -1], [-1] * 7], "int32")
    alignment[word_ids < 0] = np.nan
    alignment[1, :, 7:] = np.nan
    frame_mask = np.ones((3, 9), bool)
    frame_mask[1, 7:] = False
    return alignment, word_ids, frame_mask


def test_word_alignment():
    alignment, word_ids, frame_mask = word_case()
    result = word_alignment(alignment, word_ids, 3, frame_mask)
    for i in range(3):
        for word in range(3):
            expected = np.zeros(9)
            for row in alignment[i][word_ids[i] == word]:
                expected += np.where(frame_mask[i], row, 0)
            expected /= expected.sum() or 1
            np.testing.assert_allclose(result[i, word], expected, atol=1e-6)
    assert not result[0, 2].any() and not result[2].any()


def slow_quantile(row, share, duration, offset):
    """The time at which the mass passes a share, found by walking in small steps."""
    fine = np.repeat(row / row.sum(), 1000) / 1000
    return offset + duration * (np.searchsorted(np.cumsum(fine), share) + 1) / 1000


@pytest.mark.parametrize("tail", [0.01, 0.05, 0.3])
def test_word_spans(tail):
    words = word_alignment(*word_case()[:2], 3, word_case()[2])
    spans = word_spans(words, 0.04, tail, offset=0.5)
    for i, word in np.argwhere(words.sum(axis=-1) > 0):
        expected = [slow_quantile(words[i, word].astype("float64"), share, 0.04, 0.5) for share in (tail, 1 - tail)]
        np.testing.assert_allclose(spans[i, word], expected, atol=2e-4)
    np.testing.assert_allclose(spans[2], 0.5)
    assert (spans[..., 0] <= spans[..., 1]).all()


def test_word_spans_with_known_times():
    box = np.array([[[0, 0.25, 0.25, 0.25, 0.25, 0]]])
    np.testing.assert_allclose(word_spans(box, 0.1, tail=0)[0, 0], [0.1, 0.5], rtol=1e-6)
    np.testing.assert_allclose(word_spans(box, 0.1, tail=0.125)[0, 0], [0.15, 0.45], rtol=1e-6)
    one_frame = np.eye(5)[None, 3:4]
    np.testing.assert_allclose(word_spans(one_frame, 1.0)[0, 0], [3.05, 3.95], rtol=1e-6)
    two_parts = np.array([[[0.5, 0, 0, 0.5]]])
    np.testing.assert_allclose(word_spans(two_parts, 1.0, tail=0.25)[0, 0], [0.5, 3.5], rtol=1e-6)


def test_boundary_error():
    true = np.array([[[0.0, 1.0], [1.0, 2.0], [np.nan, np.nan]]])
    spans = np.array([[[0.5, 0.75], [1.0, 2.5], [0.0, 0.0]]])
    result = boundary_error(spans, true, np.array([[True, True, False]]))
    np.testing.assert_array_equal(result, [[[0.5, 0.25], [0.0, 0.5], [0.0, 0.0]]])
    np.testing.assert_array_equal(boundary_error(spans[:, :2], true[:, :2]), result[:, :2])


def test_mass_inside():
    rng = np.random.default_rng(2)
    words = rng.dirichlet(np.full(8, 0.5), size=(2, 4)).astype("float32")
    spans = np.sort(rng.uniform(0, 0.6, (2, 4, 2)), axis=-1).astype("float32")
    spans[1, 3], words[1, 2] = np.nan, 0
    mask = np.ones((2, 4), bool)
    mask[1, 3] = False
    result = mass_inside(words, spans, 0.05, mask, offset=0.1)
    centres = 0.1 + 0.05 * (np.arange(8000) + 0.5) / 1000
    for i, j in np.argwhere(mask):
        inside = (centres > spans[i, j, 0]) & (centres < spans[i, j, 1])
        assert result[i, j] == pytest.approx((np.repeat(words[i, j], 1000) / 1000)[inside].sum(), abs=2e-3)
    assert result[1, 3] == 0 and result[1, 2] == 0


def test_word_gradients_are_finite():
    from tests.contract import gradients

    alignment, word_ids, frame_mask = word_case()
    alignment = keras.Variable(alignment)
    true = np.array([[[0.1, 0.2]] * 3] * 3, "float32")

    def total():
        words = metrics.word_alignment(alignment.value, word_ids, 3, frame_mask)
        error = metrics.boundary_error(metrics.word_spans(words, 0.04), true)
        return ops.sum(error) - ops.sum(metrics.mass_inside(words, true, 0.04))

    (gradient,) = gradients(total, [alignment])
    assert np.isfinite(gradient).all() and gradient.any()


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="sizes are known on other backends")
def test_words_in_a_graph_with_unknown_sizes():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None] * 3), tf.TensorSpec([None] * 2, tf.int32)])
    def graph(alignment, word_ids):
        words = metrics.word_alignment(alignment, word_ids, 3)
        spans = metrics.word_spans(words, 0.04)
        return spans, metrics.mass_inside(words, spans, 0.04)

    alignment, word_ids, _ = word_case()
    spans, inside = graph(np.nan_to_num(alignment), word_ids)
    np.testing.assert_allclose(inside[0, :2], 0.9, atol=1e-5)  # all but the two tails
    assert np.isfinite(spans).all()


def test_heads_are_measured_one_by_one():
    alignment, word_ids, _ = word_case()
    heads = [np.nan_to_num(x) for x in (alignment, alignment[..., ::-1])]
    mask, true = np.array([[True, True, False]] * 3), np.array([[[0.1, 0.2]] * 3] * 3, "float32")

    def measure(alignment):
        words = word_alignment(alignment, word_ids, 3)
        spans = word_spans(words, 0.04)
        return words, spans, boundary_error(spans, true, mask), mass_inside(words, true, 0.04, mask)

    together, alone = measure(np.stack(heads, axis=1)), zip(*map(measure, heads), strict=True)
    for result, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(result, np.stack(expected, axis=1), atol=1e-6)


def test_nothing_is_inside_an_unknown_span():
    spans = np.array([[[-1, -1], [np.nan, np.nan], [0.3, 0.1]]])
    np.testing.assert_array_equal(mass_inside(np.full((1, 3, 5), 0.2), spans, 0.1), [[0, 0, 0]])


@pytest.mark.parametrize("tail", [-0.1, 0.5, float("nan")])
def test_bad_tail(tail):
    with pytest.raises(ValueError, match=f"Expected tail of at least 0 and less than 0.5. Received: tail={tail}"):
        metrics.word_spans(np.ones((1, 1, 3)), 0.04, tail)


@pytest.mark.parametrize("duration", [0, -1.0, float("nan")])
def test_bad_frame_duration(duration):
    words, message = np.ones((1, 1, 3)), f"Received: frame_duration={duration}"
    with pytest.raises(ValueError, match=message):
        metrics.word_spans(words, duration)
    with pytest.raises(ValueError, match=message):
        metrics.mass_inside(words, np.ones((1, 1, 2)), duration)
