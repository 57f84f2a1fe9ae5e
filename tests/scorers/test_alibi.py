import numpy as np
import pytest

from keras_attn import Attention, scorers
from keras_attn.scorers import Additive, ALiBi, MultiHead
from tests.scorers.steps import assert_reweighed, attend, random_inputs


@pytest.mark.parametrize("slope", [None, 0.3])
@pytest.mark.parametrize("heads", [1, 2, 3])
def test_numpy_oracle(rng, heads, slope):
    inner = Additive(8) if heads == 1 else MultiHead(Additive(8), heads)
    layer = Attention(ALiBi(inner, slope))

    def factor(row, head, i, query_position, key_position):
        slopes = [2.0 ** (-8 * (h + 1) / heads) for h in range(heads)] if slope is None else heads * [slope]
        return np.exp(-slopes[head] * abs(query_position - key_position))

    assert_reweighed(layer, *random_inputs(rng), factor)


def test_a_steep_slope_leaves_the_diagonal(rng):
    x = rng.normal(size=(1, 6, 4)).astype("float32")
    _, alignment = attend(Attention(ALiBi(slope=1e4)), x)
    np.testing.assert_allclose(alignment, np.eye(6)[None], atol=1e-6)


def test_name():
    assert type(scorers.get("alibi")) is type(scorers.get("ALiBi")) is ALiBi


@pytest.mark.parametrize("slope", [-0.1, float("inf"), float("nan")])
def test_errors(slope):
    with pytest.raises(ValueError, match=rf"a number from 0 on, or None. Received: slope={slope}"):
        ALiBi(slope=slope)
