"""Bringing texts into the form in which the recogniser learns to write them."""

import unicodedata

from demos.speech.text import normalize

# Apostrophes and hyphens, straight and typographic; inside a word they belong to it.
_INSIDE_WORDS = "'-\u2019\u2010\u2011"


def spell(text, lowercase=False, keep_punctuation=False):
    """`text` in Unicode normal form C, with single spaces between its words.

    Punctuation (the Unicode category P) becomes a space, but apostrophes and hyphens between two letters, marks or
    digits stay.

    Args:
        text: any string.
        lowercase: whether to write small letters only.
        keep_punctuation: whether punctuation stays as it is.

    >>> spell("Well-known:  «l'été», 3,5 %!")
    "Well-known l'été 3 5"
    >>> spell("Wie geht's?", lowercase=True, keep_punctuation=True)
    "wie geht's?"
    """
    text = normalize(normalize(text).lower()) if lowercase else normalize(text)
    if not keep_punctuation:
        text = "".join(character if _stays(text, i) else " " for i, character in enumerate(text))
    return " ".join(text.split())


def _stays(text, index):
    if not _is_punctuation(text[index]):
        return True
    neighbours = text[max(0, index - 1) : index] + text[index + 1 : index + 2]
    return text[index] in _INSIDE_WORDS and len(neighbours) == 2 and all(map(_is_of_words, neighbours))


def _is_punctuation(character):
    return unicodedata.category(character)[0] == "P"


def _is_of_words(character):
    return unicodedata.category(character)[0] in "LMN"
