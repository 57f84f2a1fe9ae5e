import numpy as np
import pytest
from keras import ops

from keras_attn import Attention
from keras_attn.scorers import Additive, LocalGaussian, MultiHead
from tests.contract import to_numpy
from tests.scorers.steps import VALUE_MASK, assert_reweighed, attend, random_inputs


def build(inner, half_width, rng):
    layer = Attention(LocalGaussian(inner, half_width, units=8))
    layer.build((None, None, 4), (None, None, 6))
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    return layer


def centres(scorer, query):
    """p = S sigmoid(v . tanh(W q)), element by element."""
    (kernel,) = scorer.query_projection.get_weights()
    energy = to_numpy(scorer.energy.value)
    result = np.empty(query.shape[:2])
    for row, i in np.ndindex(result.shape):
        result[row, i] = VALUE_MASK[row].sum() / (1 + np.exp(-energy @ np.tanh(kernel.T @ query[row, i])))
    return result


@pytest.mark.parametrize("half_width", [1, 2, 10])
@pytest.mark.parametrize("heads", [1, 2])
def test_numpy_oracle(rng, heads, half_width):
    """Equation 10 of the paper, normalised."""
    query, value = random_inputs(rng)
    layer = build(Additive(8) if heads == 1 else MultiHead(Additive(8), heads), half_width, rng)
    p, sigma = centres(layer.scorer, query), half_width / 2

    def factor(row, head, i, query_position, key_position):
        distance = key_position - p[row, i]
        return np.exp(-(distance**2) / (2 * sigma**2)) * (abs(distance) <= half_width)

    assert_reweighed(layer, query, value, factor)


@pytest.mark.parametrize(("energy", "expected"), [(0, 50), (1e3, 100), (-1e3, 0)])
def test_the_centre_lies_anywhere_in_the_memory(energy, expected):
    """And at the very ends there is still an element within the window."""
    layer = Attention(LocalGaussian(half_width=1, units=2))
    query, value = np.ones((1, 1, 3), "float32"), np.ones((1, 100, 3), "float32")
    layer.build(query.shape, value.shape)
    layer.scorer.query_projection.kernel.assign(np.ones((3, 2)))
    layer.scorer.energy.assign([energy, energy])
    memory = layer.prepare(value)
    centre = to_numpy(layer.scorer.centre(ops.convert_to_tensor(query), memory["scorer"]))
    np.testing.assert_allclose(centre, [[expected]])
    _, alignment = attend(layer, query, value)
    assert np.flatnonzero(alignment).tolist() == {50: [49, 50, 51], 100: [99], 0: [0, 1]}[expected]


def test_half_precision_places_the_centre_exactly():
    """In float16 the numbers around 9000 are 8 apart."""
    scorer = LocalGaussian(half_width=1, units=1, dtype="float16")
    scorer.build((None, None, 1), (None, None, 1))
    scorer.query_projection.kernel.assign([[10.0]])
    scorer.energy.assign([2.0])
    memory = scorer.prepare(ops.ones((1, 10_001, 1), "float16"))
    centre = to_numpy(scorer.centre(ops.ones((1, 1, 1), "float16"), memory)).item()
    assert abs(centre - 10_001 / (1 + np.exp(-2))) < 0.01


@pytest.mark.parametrize("half_width", [0, 0.5, float("inf"), float("nan")])
def test_errors(half_width):
    with pytest.raises(ValueError, match=rf"a number from 1 on. Received: half_width={half_width}"):
        LocalGaussian(half_width=half_width)
