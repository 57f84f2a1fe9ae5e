import numpy as np
import pytest

from keras_attn import Attention
from keras_attn.scorers import Additive, MultiHead, RelativePosition
from tests.scorers.steps import assert_reweighed, attend, random_inputs


@pytest.mark.parametrize("max_distance", [1, 2, 9])
@pytest.mark.parametrize("heads", [1, 2])
def test_numpy_oracle(rng, heads, max_distance):
    query, value = random_inputs(rng)
    layer = Attention(RelativePosition(Additive(8) if heads == 1 else MultiHead(Additive(8), heads), max_distance))
    layer.build(query.shape, value.shape)
    table = rng.normal(size=(heads, 2 * max_distance + 1))
    layer.scorer.table.assign(table)

    def factor(row, head, i, query_position, key_position):
        distance = min(max(int(key_position) - int(query_position), -max_distance), max_distance)
        return np.exp(table[head, max_distance + distance])

    assert_reweighed(layer, query, value, factor)


def test_a_table_can_say_attend_to_the_element_before(rng):
    x = rng.normal(size=(1, 6, 4)).astype("float32")
    layer = Attention(RelativePosition(max_distance=3))
    layer.build(x.shape)
    layer.scorer.table.assign([[0, 0, 1e4, 0, 0, 0, 0]])  # -3 ... 3
    _, alignment = attend(layer, x)
    np.testing.assert_allclose(alignment[0, 1:], np.eye(6)[:-1], atol=1e-6)


def test_errors():
    with pytest.raises(ValueError, match=r"a distance of at least 1. Received: max_distance=0"):
        RelativePosition(max_distance=0)
