"""Tests for `fusion.py`: each rule by itself; what it does in a search is seen in `test_beam_search_joint.py`."""

import numpy as np
import pytest
from keras import ops

from keras_attn import BeamSearch, Fusion

FIRST = np.array([[0.3, -1.5, -np.inf], [-2.0, -0.1, -4.0]], "float32")
SECOND = np.array([[-1.0, -np.inf, -0.5], [-0.7, -3.0, -0.2]], "float32")
TOKENS = np.array([0, 1], "int32")


def first(tokens, state):
    return ops.convert_to_tensor(FIRST), state + ops.cast(tokens, "float32")


def second(tokens, state, constants):
    return ops.convert_to_tensor(SECOND) + constants["shift"], {"calls": state["calls"] + 1}


def fused(*weights, **options):
    state = (ops.zeros(2), {"calls": ops.zeros(2, "int32")})
    fusion = Fusion(list(zip((first, second), weights, strict=True)), **options)
    log_probs, state = fusion(ops.convert_to_tensor(TOKENS), state, (None, {"shift": 0.25}))
    return ops.convert_to_numpy(log_probs), state


def test_a_weighted_sum_with_the_states_side_by_side():
    log_probs, state = fused(2.0, 0.5)
    np.testing.assert_allclose(log_probs, 2 * FIRST + 0.5 * (SECOND + 0.25), rtol=1e-6)
    assert isinstance(state, tuple) and list(state[1]) == ["calls"]
    np.testing.assert_array_equal(ops.convert_to_numpy(state[0]), TOKENS)
    np.testing.assert_array_equal(ops.convert_to_numpy(state[1]["calls"]), 1)


def test_weight_0_changes_no_bit():
    log_probs, state = fused(1.0, 0.0)
    np.testing.assert_array_equal(log_probs, FIRST)
    np.testing.assert_array_equal(ops.convert_to_numpy(state[1]["calls"]), 0)


def test_what_a_part_forbids_is_forbidden_under_any_weight():
    for weights in ((1.0, 0.2), (1.0, -0.2), (-1.0, 1e-3), (-2.0, -2.0)):
        log_probs, _ = fused(*weights)
        np.testing.assert_array_equal(log_probs == -np.inf, (FIRST == -np.inf) | (SECOND == -np.inf))
        assert not np.isnan(log_probs).any() and not (log_probs == np.inf).any()


def test_token_bonus_and_forbidden_tokens():
    plain, (bonus, _) = fused(1.0, 0.5)[0], fused(1.0, 0.5, token_bonus=3.0, forbidden=(0, 2))
    np.testing.assert_array_equal(bonus, np.where([False, True, False], plain + 3, -np.inf))


def test_half_precision_is_summed_in_float32():
    halves = [lambda tokens, state: (ops.cast([[-1000.5]], "float16"), state) for _ in range(2)]
    log_probs, state = Fusion([(halves[0], 1.0), (halves[1], 0.125)])(np.zeros(1, "int32"), [{}, {}])
    assert ops.convert_to_numpy(log_probs)[0, 0] == -1000.5 * 1.125 and state == [{}, {}]


def test_without_constants():
    log_probs, _ = Fusion([(first, 1.0)])(ops.convert_to_tensor(TOKENS), [ops.zeros(2)])
    np.testing.assert_array_equal(log_probs, FIRST)


def test_a_token_bonus_makes_longer_hypotheses():
    """Each token costs 1, the end 1.5: with a bonus of 2 every token pays."""

    def step(tokens, state):
        return ops.repeat(ops.convert_to_tensor([[-1.5, -1.0]]), ops.shape(tokens)[0], axis=0), state

    for bonus, length in ((0.0, 0), (2.0, 4)):
        search = BeamSearch(Fusion([(step, 1.0)], token_bonus=bonus), end_token=0, beam_width=3, length_normalization=0)
        assert int(search([1], [{}], 4).lengths[0, 0]) == length


@pytest.mark.parametrize(
    ("parts", "options", "error", "message"),
    [
        ([(3, 1.0)], {}, TypeError, "Expected a function .* Received: step=3"),
        ([(first, float("nan"))], {}, ValueError, "Expected weights that are numbers. Received: weight=nan"),
        ([(first, 0.0)], {}, ValueError, "Expected a part with a weight that is not 0"),
        ([], {}, ValueError, r"Expected a part with a weight that is not 0. Received: parts=\[\]"),
        ([(first, 1.0)], {"token_bonus": float("inf")}, ValueError, "Received: token_bonus=inf"),
    ],
)
def test_bad_options(parts, options, error, message):
    with pytest.raises(error, match=message):
        Fusion(parts, **options)


@pytest.mark.parametrize(
    ("state", "constants", "message"),
    [
        ([0], None, "Expected one entry for each of 2 parts. Received: state="),
        ({"first": 0, "second": 1}, None, "Received: state="),
        ([0, 0], [None], "Expected one entry for each of 2 parts. Received: constants="),
    ],
)
def test_one_state_and_constants_for_each_part(state, constants, message):
    with pytest.raises(ValueError, match=message):
        Fusion([(first, 1.0), (first, 1.0)])(TOKENS, state, constants)


def test_vocabularies_must_agree():
    parts = [(lambda tokens, state, size=size: (ops.zeros((2, size)), state), 1.0) for size in (1, 3)]
    with pytest.raises(ValueError, match=r"same vocabulary. Received: vocabularies of \[1, 3\]"):
        Fusion(parts)(TOKENS, [{}, {}])
