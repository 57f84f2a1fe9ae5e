"""The pairs and parts as parameters of the contract's tests, and how a pair is called."""

import functools

import pytest

from tests import contract
from tests.backends import (
    BACKEND,
)
from tests.contract import ALIGNMENTS, PAIRS, SCORERS

every_pair = pytest.mark.parametrize("pair", PAIRS, ids=str)
every_part = pytest.mark.parametrize("part", [*SCORERS.values(), *ALIGNMENTS.values()], ids=str)
only_tensorflow = functools.partial(pytest.mark.skipif, BACKEND != "tensorflow")


def by_scorer(pairs):
    groups = contract.by_scorer(pairs)
    return pytest.mark.parametrize("pairs", groups.values(), ids=groups.keys())


def caller(layer, **masks):
    """A function of query, value and key that returns context and alignment."""
    return lambda *arrays: layer(*arrays, return_attention_scores=True, **masks)
