"""Scorers: query and memory in, scores out."""

import functools

from keras_attn.registry import Registry
from keras_attn.scorers.additive import Additive
from keras_attn.scorers.cosine import Cosine
from keras_attn.scorers.dot import Dot
from keras_attn.scorers.function_scorer import FunctionScorer
from keras_attn.scorers.general import General
from keras_attn.scorers.location_aware import LocationAware
from keras_attn.scorers.multi_head import MultiHead
from keras_attn.scorers.projected_dot import ProjectedDot
from keras_attn.scorers.scaled_dot import ScaledDot
from keras_attn.scorers.scorer import Scorer

members = [
    Additive,
    Cosine,
    Dot,
    General,
    LocationAware,
    MultiHead,
    ProjectedDot,
    ScaledDot,
]
aliases = {
    "concat": Additive,
    "location_aware_2d": functools.partial(LocationAware, history=5),
    "listen_attend_spell": functools.partial(ProjectedDot, activation="tanh", scaled=False),
}
registry = Registry("scorer", Scorer, FunctionScorer, members, aliases)
get = registry.get
serialize = registry.serialize

__all__ = [
    "Additive",
    "Cosine",
    "Dot",
    "FunctionScorer",
    "General",
    "LocationAware",
    "MultiHead",
    "ProjectedDot",
    "ScaledDot",
    "Scorer",
    "get",
    "registry",
    "serialize",
]
