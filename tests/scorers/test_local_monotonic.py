import numpy as np
import pytest

from keras_attn import Attention
from keras_attn.scorers import Additive, LocalMonotonic, MultiHead
from tests.scorers.steps import VALUE_MASK, assert_reweighed, attend, random_inputs


@pytest.mark.parametrize("half_width", [1, 2, 2.5])
@pytest.mark.parametrize("heads", [1, 2])
def test_numpy_oracle(rng, heads, half_width):
    layer = Attention(LocalMonotonic(Additive(8) if heads == 1 else MultiHead(Additive(8), heads), half_width))

    def factor(row, head, i, query_position, key_position):
        centre = min(query_position, VALUE_MASK[row].sum() - 1)
        return abs(int(key_position) - int(centre)) <= half_width

    assert_reweighed(layer, *random_inputs(rng), factor)


def test_the_window_moves_by_one_and_stays_at_the_end():
    query, value = np.ones((1, 6, 4), "float32"), np.ones((1, 4, 4), "float32")
    _, alignment = attend(Attention(LocalMonotonic(half_width=1)), query, value)
    expected = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]
    expected = np.array(expected) / np.sum(expected, axis=-1, keepdims=True)
    np.testing.assert_allclose(alignment[0], expected, atol=1e-6)


@pytest.mark.parametrize("half_width", [0, 0.5, float("inf"), float("nan")])
def test_errors(half_width):
    with pytest.raises(ValueError, match=rf"a number from 1 on. Received: half_width={half_width}"):
        LocalMonotonic(half_width=half_width)
