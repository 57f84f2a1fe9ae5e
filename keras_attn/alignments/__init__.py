"""Alignment functions: scores (and the previous alignment) in, weights over the memory out."""

from keras_attn.alignments.alignment import Alignment
from keras_attn.alignments.entmax import Entmax
from keras_attn.alignments.entmax15 import Entmax15
from keras_attn.alignments.exponential import Exponential
from keras_attn.alignments.function_alignment import FunctionAlignment
from keras_attn.alignments.gumbel_softmax import GumbelSoftmax
from keras_attn.alignments.hardmax import Hardmax
from keras_attn.alignments.sigmoid import Sigmoid
from keras_attn.alignments.sigmoid_smoothing import SigmoidSmoothing
from keras_attn.alignments.softmax import Softmax
from keras_attn.alignments.sparsemax import Sparsemax
from keras_attn.registry import Registry

members = [
    Entmax,
    Entmax15,
    Exponential,
    GumbelSoftmax,
    Hardmax,
    Sigmoid,
    SigmoidSmoothing,
    Softmax,
    Sparsemax,
]
registry = Registry("alignment function", Alignment, FunctionAlignment, members)
get = registry.get
serialize = registry.serialize

__all__ = [
    "Alignment",
    "Entmax",
    "Entmax15",
    "Exponential",
    "FunctionAlignment",
    "GumbelSoftmax",
    "Hardmax",
    "Sigmoid",
    "SigmoidSmoothing",
    "Softmax",
    "Sparsemax",
    "get",
    "registry",
    "serialize",
]
