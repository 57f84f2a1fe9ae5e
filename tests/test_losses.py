"""Slow oracles with loops, limits, padding and gradients."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import losses, metrics
from tests import ragged_alignments


def slow_guided_attention(alignment, sigma):
    steps, frames = alignment.shape
    total = 0.0
    for i in range(steps):
        for j in range(frames):
            total += alignment[i, j] * (1 - math.exp(-((i / steps - j / frames) ** 2) / (2 * sigma**2)))
    return total / max(steps * frames, 1)


def slow_coverage(alignment):
    total, covered = 0.0, np.zeros(alignment.shape[1])
    for row in alignment:
        total += sum(min(x, y) for x, y in zip(row, covered, strict=True))
        covered = covered + row
    return total / max(len(alignment), 1)


def slow_entropy(alignment):
    total = 0.0
    for row in alignment:
        total -= sum(x / row.sum() * math.log(x / row.sum()) for x in row if x > 0)
    return total / max(len(alignment), 1)


def slow_true_alignment(alignment, spans, frame_duration, offset):
    values = []
    for row, (start, end) in zip(alignment, spans, strict=False):
        inside, known = 0.0, False
        for j, x in enumerate(row):
            begin = offset + j * frame_duration
            overlap = min(end, begin + frame_duration) - max(start, begin)
            if overlap > 0:
                inside, known = inside + x * overlap / frame_duration, True
        if known:
            values.append(-math.log(max(inside, 1e-18)))
    return np.mean(values) if values else 0.0


def true_spans(steps):
    """Spans around the steps of the ragged batch, some of them unknown; NaN in the padding."""
    spans = np.full((len(ragged_alignments.SIZES), max(steps, 6), 2), np.nan)
    spans[:, :6] = np.sort(np.random.default_rng(7).uniform(0, 0.4, (len(spans), 6, 2)), axis=-1)
    spans[0, 1], spans[1, 2], spans[5, 3], spans[7, 0] = -1, np.nan, [0.3, 0.2], [-9, 9]
    return spans[:, :steps]


def true_alignment(alignment, step_mask, frame_mask):
    spans = true_spans(alignment.shape[-2])
    return losses.true_alignment_loss(alignment, spans, 0.05, step_mask, frame_mask, offset=0.1)


# Each takes the alignments of a batch and their masks; its oracle takes them one by one, with their numbers.
ORACLES = {
    losses.guided_attention_loss: lambda x, n: slow_guided_attention(x, 0.4),
    losses.coverage_loss: lambda x, n: slow_coverage(x),
    losses.quantity_loss: lambda x, n: abs(len(x) - x.sum()),
    losses.attention_entropy: lambda x, n: slow_entropy(x),
    true_alignment: lambda x, n: slow_true_alignment(x, true_spans(6)[n], 0.05, 0.1),
}
every_loss = pytest.mark.parametrize("loss", list(ORACLES))


def expected(loss, alignment):
    return [ORACLES[loss](x, n) for n, x in enumerate(ragged_alignments.apart(alignment))]


def gradient(loss, alignment, *masks):
    from tests.contract import gradients

    alignment = keras.Variable(alignment, dtype=alignment.dtype.name)
    (gradient,) = gradients(lambda: ops.sum(loss(alignment.value, *masks)), [alignment])
    return gradient


@every_loss
def test_equals_the_oracle(loss):
    for seed in range(5):
        alignment, *masks = ragged_alignments.batch(seed)
        result = loss(alignment, *masks)
        assert keras.utils.standardize_dtype(result.dtype) == "float32"
        np.testing.assert_allclose(ops.convert_to_numpy(result), expected(loss, alignment), rtol=1e-4, atol=1e-6)


@every_loss
def test_more_padding_changes_nothing(loss):
    less, more = ragged_alignments.batch(), ragged_alignments.batch(padded=(9, 17))
    np.testing.assert_allclose(ops.convert_to_numpy(loss(*more)), ops.convert_to_numpy(loss(*less)), atol=1e-6)
    # Rows that sum to 1 would be at the kink of quantity_loss.
    more, less = (gradient(lambda x, *masks: loss(0.9 * x, *masks), *arguments) for arguments in (more, less))
    np.testing.assert_allclose(more[:, :6, :6], less, atol=1e-6)


@every_loss
def test_heads_are_measured_one_by_one(loss):
    (first, *masks), (second, *_) = ragged_alignments.batch(0), ragged_alignments.batch(1)
    result = ops.convert_to_numpy(loss(np.stack([first, second], axis=1), *masks))
    apart = [ops.convert_to_numpy(loss(x, *masks)) for x in (first, second)]
    np.testing.assert_allclose(result, np.stack(apart, axis=1), atol=1e-6)


@every_loss
def test_without_masks_all_is_real(loss, rng):
    alignment = rng.dirichlet(np.ones(6), size=(9, 6)).astype("float32") / 2
    ones = np.ones((9, 6), bool), np.ones((9, 6), bool)
    result = ops.convert_to_numpy(loss(alignment, None, None))
    np.testing.assert_array_equal(result, ops.convert_to_numpy(loss(alignment, *ones)))
    assert result.all()


@every_loss
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_gradients_are_finite_and_0_in_the_padding(loss, dtype):
    alignment, step_mask, frame_mask = ragged_alignments.batch()
    alignment[0, 0], alignment[5, 1] = np.eye(6)[2], 0
    if dtype == "float32":
        alignment[7, 1, :5] = [1e-40, 0, 1e-30, 0, 1e-12]
    else:  # which cannot hold the reciprocal of a small weight
        alignment = np.where(alignment < 1e-3, 0, alignment)
    found = gradient(lambda x, *masks: loss(ops.cast(x, dtype), *masks), alignment, step_mask, frame_mask)
    assert np.isfinite(found).all() and found.any()
    assert not found[~(step_mask[..., None] & frame_mask[:, None])].any()


@every_loss
def test_half_precision_is_summed_in_float32(loss):
    alignment, *masks = ragged_alignments.batch()
    rounded = ops.cast(alignment, "float16")
    result = loss(rounded, *masks)
    assert keras.utils.standardize_dtype(result.dtype) == "float32"
    rounded = ops.convert_to_numpy(ops.cast(rounded, "float32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(result), ops.convert_to_numpy(loss(rounded, *masks)))


@every_loss
@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="not every operation of Keras keeps float64 there")
def test_float64_stays(loss):
    alignment, *masks = ragged_alignments.batch()
    result = loss(ops.convert_to_tensor(alignment, "float64"), *masks)
    assert keras.utils.standardize_dtype(result.dtype) == "float64"
    np.testing.assert_allclose(ops.convert_to_numpy(result), expected(loss, alignment), rtol=1e-12, atol=1e-14)


@every_loss
@pytest.mark.parametrize("shape", [(6, 0), (0, 6), (0, 0)])
def test_axes_may_be_empty(loss, shape):
    alignment = np.zeros((9, *shape), "float32")
    result = ops.convert_to_numpy(loss(alignment, None, None))
    np.testing.assert_array_equal(result, shape[0] if loss is losses.quantity_loss else 0)


@every_loss
@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="sizes are known on other backends")
def test_in_a_graph_with_unknown_sizes(loss):
    import tensorflow as tf

    if loss is true_alignment:  # the spans must fit
        loss = lambda *x: losses.true_alignment_loss(x[0], true_spans(6), 0.05, *x[1:], offset=0.1)  # noqa: E731
    graph = tf.function(loss, input_signature=[tf.TensorSpec([None] * 3), *[tf.TensorSpec([None] * 2, tf.bool)] * 2])
    arguments = ragged_alignments.batch()
    np.testing.assert_allclose(graph(*arguments), loss(*arguments), atol=1e-6)


@every_loss
def test_bad_shape(loss):
    message = r"Expected an alignment \(batch, steps, frames\) or \(batch, heads, steps, frames\). Received: shape="
    with pytest.raises(ValueError, match=message + r"\(2, 3\)"):
        loss(np.ones((2, 3)), None, None)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_diagonal_costs_nothing(size):
    assert float(losses.guided_attention_loss(np.eye(size, dtype="float32")[None])[0]) == 0


def test_guided_attention_between_its_limits(rng):
    alignment = rng.dirichlet(np.ones(5), size=(1, 5)).astype("float32")
    values = [float(losses.guided_attention_loss(alignment, sigma=sigma)[0]) for sigma in (1e-3, 0.1, 0.4, 1, 1e4)]
    assert values == sorted(values, reverse=True)
    off_diagonal = alignment.sum() - np.trace(alignment[0])
    np.testing.assert_allclose([values[0], values[-1]], [off_diagonal / 25, 0], rtol=1e-5, atol=1e-8)


def test_padding_before_an_utterance_is_as_good_as_after_it():
    alignment, *masks = ragged_alignments.batch()
    before = losses.guided_attention_loss(alignment[:, ::-1, ::-1], *(mask[:, ::-1] for mask in masks))
    turned = [x[::-1, ::-1] for x in ragged_alignments.apart(alignment)]
    slow = [slow_guided_attention(x, 0.4) for x in turned]
    np.testing.assert_allclose(ops.convert_to_numpy(before), slow, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sigma", [0, -1.0, float("nan"), float("inf")])
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match=f"Expected a positive number. Received: sigma={sigma}"):
        losses.guided_attention_loss(np.ones((1, 2, 2)), sigma=sigma)


def test_coverage_counts_what_is_attended_again():
    stuck, forward = np.eye(6)[[2] * 4][None], np.eye(6)[[5, 2, 0, 1]][None]
    assert float(losses.coverage_loss(stuck)[0]) == pytest.approx(3 / 4)  # all but the first step
    assert float(losses.coverage_loss(forward)[0]) == 0


def test_entropy_of_uniform_rows_even_when_they_sum_to_less():
    for total in (1.0, 0.1):
        uniform = np.full((1, 3, 10_000), total / 10_000, "float32")
        assert float(losses.attention_entropy(uniform)[0]) == pytest.approx(math.log(10_000), rel=1e-5)


def test_entropy_is_the_other_side_of_sharpness(rng):
    alignment = rng.dirichlet(np.ones(8), size=(3, 4)).astype("float32")
    entropy, sharpness = (ops.convert_to_numpy(f(alignment)) for f in (losses.attention_entropy, metrics.sharpness))
    np.testing.assert_allclose(sharpness, 1 - entropy / math.log(8), rtol=1e-5)


def test_true_times_cost_nothing_where_they_are_met_and_41_where_they_are_missed():
    spans = np.array([[[0.0, 0.2], [0.2, 0.4]]])
    met, missed = np.array([[[0.3, 0.7, 0, 0], [0, 0, 1, 0]]]), np.array([[[0, 0, 1, 0], [1, 0, 0, 0]]])
    assert float(losses.true_alignment_loss(met, spans, 0.1)[0]) == pytest.approx(0, abs=1e-5)
    assert float(losses.true_alignment_loss(missed, spans, 0.1)[0]) == pytest.approx(-math.log(1e-18), rel=1e-5)


def test_true_times_weigh_the_mass_inside(rng):
    alignment = rng.dirichlet(np.ones(8), size=(4, 1)).astype("float32")
    spans = np.array([[[0.13, 0.31]]] * 4)
    loss = ops.convert_to_numpy(losses.true_alignment_loss(alignment, spans, 0.05))
    inside = ops.convert_to_numpy(metrics.mass_inside(alignment, spans, 0.05))
    np.testing.assert_allclose(np.exp(-loss), inside[:, 0], rtol=1e-5)


def test_bad_frame_duration():
    with pytest.raises(ValueError, match="Expected frame_duration in seconds, above 0. Received: frame_duration=0"):
        losses.true_alignment_loss(np.ones((1, 1, 2)), np.ones((1, 1, 2)), 0)
