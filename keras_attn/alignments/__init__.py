"""Alignment functions: scores (and the previous alignment) in, weights over the memory out."""

import functools

from keras_attn.alignments.alignment import Alignment
from keras_attn.alignments.entmax import Entmax
from keras_attn.alignments.entmax15 import Entmax15
from keras_attn.alignments.exponential import Exponential
from keras_attn.alignments.forward import Forward
from keras_attn.alignments.forward_transition import ForwardTransition
from keras_attn.alignments.function_alignment import FunctionAlignment
from keras_attn.alignments.gumbel_softmax import GumbelSoftmax
from keras_attn.alignments.hardmax import Hardmax
from keras_attn.alignments.mocha import MoChA
from keras_attn.alignments.monotonic import Monotonic
from keras_attn.alignments.sigmoid import Sigmoid
from keras_attn.alignments.sigmoid_smoothing import SigmoidSmoothing
from keras_attn.alignments.softmax import Softmax
from keras_attn.alignments.sparsemax import Sparsemax
from keras_attn.alignments.stepwise_monotonic import StepwiseMonotonic
from keras_attn.alignments.window import Window
from keras_attn.registry import Registry

members = [
    Entmax,
    Entmax15,
    Exponential,
    Forward,
    ForwardTransition,
    GumbelSoftmax,
    Hardmax,
    MoChA,
    Monotonic,
    Sigmoid,
    SigmoidSmoothing,
    Softmax,
    Sparsemax,
    StepwiseMonotonic,
    Window,
]
aliases = {"milk": functools.partial(MoChA, chunk_size=None)}
registry = Registry("alignment function", Alignment, FunctionAlignment, members, aliases)
get = registry.get
serialize = registry.serialize

__all__ = [
    "Alignment",
    "Entmax",
    "Entmax15",
    "Exponential",
    "Forward",
    "ForwardTransition",
    "FunctionAlignment",
    "GumbelSoftmax",
    "Hardmax",
    "MoChA",
    "Monotonic",
    "Sigmoid",
    "SigmoidSmoothing",
    "Softmax",
    "Sparsemax",
    "StepwiseMonotonic",
    "Window",
    "get",
    "registry",
    "serialize",
]
