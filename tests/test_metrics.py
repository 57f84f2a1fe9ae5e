"""Tests for `metrics.py`: slow oracles with loops, matrices whose values are known, padding and gradients."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from keras_attn import metrics

WHOLE = [metrics.sharpness, metrics.monotonicity, metrics.coverage]


def slow_sharpness(alignment):
    values = []
    for row in alignment:
        if len(row) == 1 or not row.any():
            values.append(float(row.any()))
            continue
        p = row / row.sum()
        values.append(1 - sum(-x * math.log(x) for x in p if x > 0) / math.log(len(row)))
    return np.mean(values) if values else 0.0


def slow_monotonicity(alignment):
    if len(alignment) < 2:
        return float(len(alignment))
    good = 0
    for row, following in itertools.pairwise(alignment):
        if row.any() and following.any():
            now, then = (sum(j * x for j, x in enumerate(r)) / sum(r) for r in (row, following))
            good += then >= now - 0.5
    return good / (len(alignment) - 1)


def slow_coverage(alignment):
    steps, frames = alignment.shape
    if not steps:
        return 0.0
    return np.mean([min(1.0, sum(alignment[i, j] for i in range(steps)) * frames / steps) for j in range(frames)])


ORACLES = {metrics.sharpness: slow_sharpness, metrics.monotonicity: slow_monotonicity, metrics.coverage: slow_coverage}
SIZES = [(4, 6), (6, 3), (1, 5), (0, 6), (3, 1), (6, 6), (2, 4), (5, 5)]


def batch_of_alignments(seed=0):
    """Random alignments of several sizes, with NaN for padding, and their masks."""
    rng = np.random.default_rng(seed)
    alignment = np.full((len(SIZES), 6, 6), np.nan, "float32")
    for x, (steps, frames) in zip(alignment, SIZES, strict=True):
        x[:steps, :frames] = rng.dirichlet(np.full(frames, 0.3), size=steps)
    alignment[6, 1, :4] = 0  # a step that lost its mass
    step_mask, frame_mask = (np.arange(6) < np.array(size)[:, None] for size in zip(*SIZES, strict=True))
    return alignment, step_mask, frame_mask


@pytest.mark.parametrize("metric", WHOLE)
def test_equals_the_oracle(metric):
    for seed in range(5):
        alignment, step_mask, frame_mask = batch_of_alignments(seed)
        expected = [
            ORACLES[metric](x[:steps, :frames].astype("float64"))
            for x, (steps, frames) in zip(alignment, SIZES, strict=True)
        ]
        result = metric(alignment, step_mask, frame_mask)
        assert result.dtype == "float32"
        np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("metric", WHOLE)
def test_without_masks_all_is_real(metric):
    alignment = np.random.default_rng(0).dirichlet(np.ones(5), size=(3, 4)).astype("float32")
    ones = np.ones((3, 4), bool), np.ones((3, 5), bool)
    np.testing.assert_array_equal(metric(alignment), metric(alignment, *ones))
    np.testing.assert_allclose(metric(alignment), [ORACLES[metric](x) for x in alignment], atol=1e-5)


@pytest.mark.parametrize("metric", WHOLE)
def test_in_a_graph_with_unknown_sizes(metric):
    graph = tf.function(metric, input_signature=[tf.TensorSpec([None] * 3), *[tf.TensorSpec([None] * 2, tf.bool)] * 2])
    arguments = batch_of_alignments()
    np.testing.assert_allclose(graph(*arguments), metric(*arguments), atol=1e-6)


@pytest.mark.parametrize("metric", WHOLE)
def test_gradients_are_finite(metric):
    alignment, step_mask, frame_mask = batch_of_alignments()
    alignment[0, 0] = np.eye(6)[2]
    alignment = tf.constant(alignment)
    with tf.GradientTape() as tape:
        tape.watch(alignment)
        total = tf.reduce_sum(metric(alignment, step_mask, frame_mask))
    gradient = tape.gradient(total, alignment)
    if metric is metrics.monotonicity:
        assert gradient is None  # it counts
    else:
        assert np.isfinite(gradient).all() and gradient.numpy().any()


@pytest.mark.parametrize(
    "matrix, expected",
    [
        (np.eye(4), (1, 1, 1)),
        (np.eye(4)[::-1], (1, 0, 1)),
        (np.full((4, 4), 1 / 4), (0, 1, 1)),
        (np.eye(4)[[1] * 3], (1, 1, 1 / 4)),
        (np.zeros((3, 4)), (0, 0, 0)),
        (np.ones((3, 1)), (1, 1, 1)),
    ],
    ids=["identity", "backwards", "uniform", "one column", "no mass", "one frame"],
)
def test_known_matrices(matrix, expected):
    found = [float(metric(matrix[None])[0]) for metric in WHOLE]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("metric", WHOLE)
def test_bad_shape(metric):
    with pytest.raises(ValueError, match=r"Expected an alignment \(batch, steps, frames\). Received: shape=\(2, 3\)"):
        metric(np.ones((2, 3)))


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
    result = metrics.word_alignment(alignment, word_ids, 3, frame_mask).numpy()
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
    words = metrics.word_alignment(*word_case()[:2], 3, word_case()[2]).numpy()
    spans = metrics.word_spans(words, 0.04, tail, offset=0.5).numpy()
    for i, word in np.argwhere(words.sum(axis=-1) > 0):
        expected = [slow_quantile(words[i, word].astype("float64"), share, 0.04, 0.5) for share in (tail, 1 - tail)]
        np.testing.assert_allclose(spans[i, word], expected, atol=2e-4)
    np.testing.assert_allclose(spans[2], 0.5)
    assert (spans[..., 0] <= spans[..., 1]).all()


def test_word_spans_with_known_times():
    box = np.array([[[0, 0.25, 0.25, 0.25, 0.25, 0]]])
    np.testing.assert_allclose(metrics.word_spans(box, 0.1, tail=0)[0, 0], [0.1, 0.5], rtol=1e-6)
    np.testing.assert_allclose(metrics.word_spans(box, 0.1, tail=0.125)[0, 0], [0.15, 0.45], rtol=1e-6)
    one_frame = np.eye(5)[None, 3:4]
    np.testing.assert_allclose(metrics.word_spans(one_frame, 1.0)[0, 0], [3.05, 3.95], rtol=1e-6)
    two_parts = np.array([[[0.5, 0, 0, 0.5]]])
    np.testing.assert_allclose(metrics.word_spans(two_parts, 1.0, tail=0.25)[0, 0], [0.5, 3.5], rtol=1e-6)


def test_boundary_error():
    true = np.array([[[0.0, 1.0], [1.0, 2.0], [np.nan, np.nan]]])
    spans = np.array([[[0.5, 0.75], [1.0, 2.5], [0.0, 0.0]]])
    result = metrics.boundary_error(spans, true, np.array([[True, True, False]]))
    np.testing.assert_array_equal(result, [[[0.5, 0.25], [0.0, 0.5], [0.0, 0.0]]])
    np.testing.assert_array_equal(metrics.boundary_error(spans[:, :2], true[:, :2]), result[:, :2])


def test_mass_inside():
    rng = np.random.default_rng(2)
    words = rng.dirichlet(np.full(8, 0.5), size=(2, 4)).astype("float32")
    spans = np.sort(rng.uniform(0, 0.6, (2, 4, 2)), axis=-1).astype("float32")
    spans[1, 3], words[1, 2] = np.nan, 0
    mask = np.ones((2, 4), bool)
    mask[1, 3] = False
    result = metrics.mass_inside(words, spans, 0.05, mask, offset=0.1).numpy()
    centres = 0.1 + 0.05 * (np.arange(8000) + 0.5) / 1000
    for i, j in np.argwhere(mask):
        inside = (centres > spans[i, j, 0]) & (centres < spans[i, j, 1])
        assert result[i, j] == pytest.approx((np.repeat(words[i, j], 1000) / 1000)[inside].sum(), abs=2e-3)
    assert result[1, 3] == 0 and result[1, 2] == 0


def test_word_gradients_are_finite():
    alignment, word_ids, frame_mask = word_case()
    alignment = tf.constant(alignment)
    with tf.GradientTape() as tape:
        tape.watch(alignment)
        words = metrics.word_alignment(alignment, word_ids, 3, frame_mask)
        spans = metrics.word_spans(words, 0.04)
        true = tf.constant([[[0.1, 0.2]] * 3] * 3)
        error = metrics.boundary_error(spans, true)
        total = tf.reduce_sum(error) - tf.reduce_sum(metrics.mass_inside(words, true, 0.04))
    gradient = tape.gradient(total, alignment).numpy()
    assert np.isfinite(gradient).all() and gradient.any()


def test_words_in_a_graph_with_unknown_sizes():
    @tf.function(input_signature=[tf.TensorSpec([None] * 3), tf.TensorSpec([None] * 2, tf.int32)])
    def graph(alignment, word_ids):
        words = metrics.word_alignment(alignment, word_ids, 3)
        spans = metrics.word_spans(words, 0.04)
        return spans, metrics.mass_inside(words, spans, 0.04)

    alignment, word_ids, _ = word_case()
    spans, inside = graph(np.nan_to_num(alignment), word_ids)
    np.testing.assert_allclose(inside[0, :2], 0.9, atol=1e-5)  # all but the two tails
    assert np.isfinite(spans).all()


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
