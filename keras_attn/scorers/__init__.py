"""Scorers: query and memory in, scores out."""

import functools

from keras_attn.registry import Registry
from keras_attn.scorers.additive import Additive
from keras_attn.scorers.alibi import ALiBi
from keras_attn.scorers.cosine import Cosine
from keras_attn.scorers.coverage import Coverage
from keras_attn.scorers.dot import Dot
from keras_attn.scorers.dynamic_convolution import DynamicConvolution
from keras_attn.scorers.fertility_location import FertilityLocation
from keras_attn.scorers.function_scorer import FunctionScorer
from keras_attn.scorers.gaussian_mixture import GaussianMixture
from keras_attn.scorers.general import General
from keras_attn.scorers.local_gaussian import LocalGaussian
from keras_attn.scorers.local_monotonic import LocalMonotonic
from keras_attn.scorers.location_aware import LocationAware
from keras_attn.scorers.location_recurrent import LocationRecurrent
from keras_attn.scorers.location_scorer import LocationScorer
from keras_attn.scorers.multi_head import MultiHead
from keras_attn.scorers.projected_dot import ProjectedDot
from keras_attn.scorers.relative_position import RelativePosition
from keras_attn.scorers.scaled_dot import ScaledDot
from keras_attn.scorers.scorer import Scorer

members = [
    ALiBi,
    Additive,
    Cosine,
    Coverage,
    Dot,
    DynamicConvolution,
    FertilityLocation,
    GaussianMixture,
    General,
    LocalGaussian,
    LocalMonotonic,
    LocationAware,
    LocationRecurrent,
    MultiHead,
    ProjectedDot,
    RelativePosition,
    ScaledDot,
]
aliases = {
    "alibi": ALiBi,
    "concat": Additive,
    "listen_attend_spell": functools.partial(ProjectedDot, activation="tanh", scaled=False),
    "location_aware_2d": functools.partial(LocationAware, history=5),
}
registry = Registry("scorer", Scorer, FunctionScorer, members, aliases)
get = registry.get
serialize = registry.serialize

__all__ = [
    "ALiBi",
    "Additive",
    "Cosine",
    "Coverage",
    "Dot",
    "DynamicConvolution",
    "FertilityLocation",
    "FunctionScorer",
    "GaussianMixture",
    "General",
    "LocalGaussian",
    "LocalMonotonic",
    "LocationAware",
    "LocationRecurrent",
    "LocationScorer",
    "MultiHead",
    "ProjectedDot",
    "RelativePosition",
    "ScaledDot",
    "Scorer",
    "get",
    "registry",
    "serialize",
]
