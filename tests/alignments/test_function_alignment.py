import numpy as np
from keras import ops

from keras_attn import Attention, alignments
from tests.contract import independent_sigmoids


def test_a_function_becomes_an_alignment_function():
    alignment = alignments.get(independent_sigmoids)
    assert isinstance(alignment, alignments.FunctionAlignment) and alignment.function is independent_sigmoids
    again = alignments.get(alignments.serialize(alignment))
    assert again.function is independent_sigmoids
    assert alignments.get("contract>independent_sigmoids").function is independent_sigmoids


def test_masked_positions_are_0_whatever_the_function_says():
    alignment = alignments.get(lambda scores, mask: ops.ones_like(scores))
    mask = np.array([[True, False]])
    scores = np.array([[3.0, np.nan]], "float32")
    assert ops.convert_to_numpy(alignment.align(ops.convert_to_tensor(scores), mask)).tolist() == [[1, 0]]


def test_the_function_sees_finite_scores_and_the_mask():
    seen = []

    def function(scores, mask):
        seen.append((ops.convert_to_numpy(scores), ops.convert_to_numpy(mask)))
        return scores

    Attention("dot", function)(np.ones((1, 2, 3)), np.ones((1, 2, 3)), value_mask=np.array([[True, False]]))
    (scores, mask) = seen[-1]
    assert scores.tolist() == [[[3, 0], [3, 0]]]
    assert np.broadcast_to(mask, scores.shape).tolist() == [[[True, False], [True, False]]]


def test_a_boolean_result_becomes_numbers():
    argmax = alignments.get(lambda scores, mask: scores == ops.max(scores, axis=-1, keepdims=True))
    weights = argmax.align(ops.convert_to_tensor([[1.0, 3.0]]), ops.convert_to_tensor([[True, True]]))
    assert ops.convert_to_numpy(weights).tolist() == [[0.0, 1.0]]
    assert "float32" in str(weights.dtype)
