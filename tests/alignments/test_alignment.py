import pytest

from keras_attn import alignments
from keras_attn.alignments import Alignment


def test_a_member_without_align_says_so():
    class Nothing(Alignment):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing must implement align\(scores, mask, previous, training\)"):
        Nothing().align(None, None)


def test_every_member_is_exported():
    for name, member in alignments.registry.members.items():
        assert getattr(alignments, member.__name__) is member
        assert issubclass(member, Alignment) and member.__name__ in alignments.__all__
        assert type(alignments.get(name)) is member
