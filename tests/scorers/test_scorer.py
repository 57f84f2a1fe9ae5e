import pytest
from keras import ops

from keras_attn import Attention, scorers
from keras_attn.scorers import Scorer


class Constant(Scorer):
    def score(self, query, memory, state):
        return ops.zeros((*ops.shape(query)[:2], ops.shape(memory["key"])[1]))


def test_score_is_all_a_member_needs():
    attention = Attention(Constant())
    value = ops.reshape(ops.arange(6, dtype="float32"), (1, 3, 2))
    context = ops.convert_to_numpy(attention(ops.ones((1, 2, 5)), value))
    assert context.tolist() == [[[2, 3], [2, 3]]]  # the mean of the values
    assert attention.scorer.built and attention.weights == []


def test_a_member_without_score_says_so():
    class Nothing(Scorer):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing must implement score\(query, memory, state\)"):
        Nothing().score(None, None, None)


def test_every_member_is_exported():
    for name, member in scorers.registry.members.items():
        assert getattr(scorers, member.__name__) is member
        assert issubclass(member, Scorer) and member.__name__ in scorers.__all__
        assert type(scorers.get(name)) is member
