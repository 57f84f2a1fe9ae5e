"""Attention for Keras 3, with the score function and the alignment function as parts you plug in."""

from keras_attn import alignments, losses, metrics, scorers
from keras_attn.arpa import read_arpa
from keras_attn.attention import Attention
from keras_attn.attention_cell import AttentionCell
from keras_attn.attention_rnn import AttentionRNN
from keras_attn.beam_search import BeamSearch
from keras_attn.ctc_prefix import CTCPrefixScorer
from keras_attn.fusion import Fusion
from keras_attn.ngram import NGramScorer
from keras_attn.phrase_bias import PhraseBias
from keras_attn.plotting import plot_alignment
from keras_attn.word_ngram import WordNGramScorer

__version__ = "0.1.0"

__all__ = [
    "Attention",
    "AttentionCell",
    "AttentionRNN",
    "BeamSearch",
    "CTCPrefixScorer",
    "Fusion",
    "NGramScorer",
    "PhraseBias",
    "WordNGramScorer",
    "alignments",
    "losses",
    "metrics",
    "plot_alignment",
    "read_arpa",
    "scorers",
]
