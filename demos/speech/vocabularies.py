"""The kinds of vocabularies: which one a configuration asks for, and which one a dict describes."""

from demos.speech.sentence_pieces import SentencePieces
from demos.speech.text import Vocabulary


def make(config, texts):
    """The vocabulary that a `Config` asks for, of an iterable of texts."""
    if config.tokens == "bpe":
        return SentencePieces.from_texts(texts, config.vocabulary)
    return Vocabulary.from_texts(texts)


def from_dict(values):
    """The vocabulary that its `to_dict` described.

    >>> from_dict(Vocabulary("ab").to_dict())
    Vocabulary(characters='ab')
    """
    return SentencePieces(**values) if "pieces" in values else Vocabulary(**values)
