"""Alignment functions: scores (and the previous alignment) in, weights over the memory out."""

from keras_attn.alignments.alignment import Alignment
from keras_attn.alignments.function_alignment import FunctionAlignment
from keras_attn.alignments.sigmoid_smoothing import SigmoidSmoothing
from keras_attn.alignments.softmax import Softmax
from keras_attn.registry import Registry

registry = Registry("alignment function", Alignment, FunctionAlignment, [SigmoidSmoothing, Softmax])
get = registry.get
serialize = registry.serialize

__all__ = ["Alignment", "FunctionAlignment", "SigmoidSmoothing", "Softmax", "get", "registry", "serialize"]
