import keras
import numpy as np
import pytest
from keras import ops

from keras_attn import metrics
from tests import ragged_alignments


def slow_error_rate(alignment, sure, possible):
    """From sets of links, as the paper has it."""
    found = {(i, row.argmax()) for i, row in enumerate(alignment) if row.any()}
    sure, possible = ({tuple(link) for link in np.argwhere(links)} for links in (sure, sure | possible))
    if not found and not sure:
        return 0.0
    return 1 - (len(found & sure) + len(found & possible)) / (len(found) + len(sure))


def links(seed=0, padded=(6, 6), share=0.3):
    """Random links, True in the padding."""
    rng = np.random.default_rng(seed)
    links = np.ones((len(ragged_alignments.SIZES), *padded), bool)
    links[:, :6, :6] = rng.random((len(links), 6, 6)) < share
    return links


def error_rate(alignment, step_mask, frame_mask):
    sure, possible = (links(seed, alignment.shape[-2:]) for seed in (0, 1))
    return ops.convert_to_numpy(metrics.alignment_error_rate(alignment, sure, possible, step_mask, frame_mask))


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_oracle(seed):
    alignment, step_mask, frame_mask = ragged_alignments.batch(seed)
    for sure, possible in ((links(1), links(2)), (links(1), None), (links(1) & False, links(2, share=0.5))):
        result = metrics.alignment_error_rate(alignment, sure, possible, step_mask, frame_mask)
        assert keras.utils.standardize_dtype(result.dtype) == "float32"
        expected = [
            slow_error_rate(x, s[: len(x), : x.shape[1]], p[: len(x), : x.shape[1]])
            for x, s, p in zip(
                ragged_alignments.apart(alignment), sure, sure if possible is None else possible, strict=True
            )
        ]
        np.testing.assert_allclose(ops.convert_to_numpy(result), expected, atol=1e-6)


def test_known_links():
    straight, sure = np.eye(3, dtype="float32")[None], np.eye(3, dtype=bool)[None]
    for alignment, expected in ((straight, 0), (straight[:, ::-1], 2 / 3), (straight[:, [1, 2, 0]], 1)):
        assert float(metrics.alignment_error_rate(alignment, sure)[0]) == pytest.approx(expected)
    assert float(metrics.alignment_error_rate(straight[:, [1, 2, 0]], sure, np.ones_like(sure))[0]) == 0.5


def test_without_sure_links_it_is_the_share_of_peaks_outside(rng):
    alignment = rng.dirichlet(np.ones(6), size=(1, 5)).astype("float32")
    possible = rng.random((1, 5, 6)) < 0.5
    outside = np.mean([not possible[0, i, row.argmax()] for i, row in enumerate(alignment[0])])
    result = metrics.alignment_error_rate(alignment, np.zeros_like(possible), possible)
    assert float(result[0]) == pytest.approx(outside)


def test_of_equal_weights_the_first_is_linked():
    sure = np.array([[[False, True, False]]])
    assert float(metrics.alignment_error_rate([[[0.0, 0.5, 0.5]]], sure)[0]) == 0


def test_more_padding_changes_nothing():
    np.testing.assert_array_equal(
        error_rate(*ragged_alignments.batch(padded=(8, 13))), error_rate(*ragged_alignments.batch())
    )


def test_heads_are_measured_one_by_one():
    (first, *masks), (second, *_) = ragged_alignments.batch(0), ragged_alignments.batch(1)
    expected = np.stack([error_rate(first, *masks), error_rate(second, *masks)], axis=1)
    np.testing.assert_array_equal(error_rate(np.stack([first, second], axis=1), *masks), expected)


@pytest.mark.parametrize("shape", [(2, 3, 0), (2, 0, 3)])
def test_axes_may_be_empty(shape):
    result = metrics.alignment_error_rate(np.zeros(shape, "float32"), np.zeros(shape, bool))
    np.testing.assert_array_equal(ops.convert_to_numpy(result), 0)
