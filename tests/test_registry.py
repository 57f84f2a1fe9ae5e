import keras
import pytest

from keras_attn import alignments, scorers
from keras_attn.registry import snake_case
from keras_attn.scorers import Additive, ScaledDot


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Dot", "dot"), ("ScaledDot", "scaled_dot"), ("MoChA", "mocha"), ("LocationAware2D", "location_aware2_d"),
     ("HTTPHeader", "http_header"), ("already_snake", "already_snake"), ("Entmax15", "entmax15")],
)  # fmt: skip
def test_snake_case(name, expected):
    assert snake_case(name) == expected


@pytest.mark.parametrize("identifier", ["scaled_dot", "ScaledDot", "keras_attn>ScaledDot", ScaledDot, ScaledDot()])
def test_get(identifier):
    assert type(scorers.get(identifier)) is ScaledDot


def test_an_instance_is_returned_as_it_is():
    scorer = Additive(3)
    assert scorers.get(scorer, dtype="float16") is scorer


def test_dtype_reaches_what_is_made_here():
    for identifier in ("additive", Additive, lambda query, key: None):
        assert scorers.get(identifier, dtype="mixed_float16").dtype_policy.name == "mixed_float16"


def test_serialize_and_get_are_inverse():
    config = scorers.serialize(Additive(3, use_bias=False))
    again = scorers.get(config)
    assert (again.units, again.use_bias) == (3, False)
    assert scorers.serialize(again) == config


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown scorer. Expected .*'additive', .*'dot', .*Received: 'adittive'"):
        scorers.get("adittive")
    with pytest.raises(ValueError, match=r"Unknown alignment function. Expected one of .*'softmax'.*Received: 'soft'"):
        alignments.get("soft")


@pytest.mark.parametrize("identifier", [None, 3, ["dot"], keras.layers.Dense, keras.layers.Dense(2), "Softmax"])
def test_what_is_no_scorer(identifier):
    with pytest.raises((TypeError, ValueError), match=r"scorer.*Received: "):
        scorers.get(identifier)


def test_a_member_of_the_other_family_is_refused():
    with pytest.raises(TypeError, match=r"a function, for the scorer. Received: <Softmax"):
        scorers.get(alignments.Softmax(name="softmax"))
    with pytest.raises(TypeError, match=r"subclass of Alignment, or a function, for the alignment function"):
        alignments.get(Additive)


def test_registration_names_do_not_change():
    """Saved models refer to them."""
    for registry in (scorers.registry, alignments.registry):
        for member in (*registry.members.values(), registry.wrap_function):
            assert keras.saving.get_registered_name(member) == f"keras_attn>{member.__name__}"
