"""The sentences that a language model learns from."""

import dataclasses

from demos.speech.errors import UserError
from demos.speech.files import read_lines
from demos.speech.spelling import spell
from demos.speech.training import texts

# Of so many sentences of a file, the last one is held out.
_HELD_OUT = 20


@dataclasses.dataclass(frozen=True)
class Sentences:
    """Tokens of sentences to train on, and of others to find out what has been learnt.

    Attributes:
        train, held_out: lists of lists of ids.
        left_out: how many sentences cannot be written with the vocabulary.
    """

    train: list
    held_out: list
    left_out: int

    @property
    def summary(self):
        """How many there are, in words."""
        tokens = sum(len(ids) + 1 for ids in self.train)
        counts = f"{len(self.train)} sentences to learn from, {tokens} tokens; {len(self.held_out)} held out"
        return counts + f"; {self.left_out} left out, which the recogniser cannot write" * (self.left_out > 0)


def sentences(train, held_out, vocabulary):
    """The `Sentences` of two lists of texts.

    Raises:
        UserError: one of them has no sentence that can be written with the vocabulary.

    >>> from demos.speech.text import Vocabulary
    >>> sentences(["a b", "a c"], ["b"], Vocabulary(" ab"))
    Sentences(train=[[3, 2, 4]], held_out=[[4]], left_out=1)
    """
    encoded = [[_encode(text, vocabulary) for text in split] for split in (train, held_out)]
    kept = [[ids for ids in split if ids] for split in encoded]
    if not all(kept):
        raise UserError(
            "Expected at least two sentences of the characters that the recogniser writes, to train and to test with. "
            f"Received: {len(kept[0]) + len(kept[1])} of {len(train) + len(held_out)}"
        )
    return Sentences(*kept, sum(ids is None for split in encoded for ids in split))


def _encode(text, vocabulary):
    try:
        return vocabulary.encode(text)
    except UserError:
        return None


def of_corpus(corpus, vocabulary):
    """The `Sentences` of a corpus, of which the validation split is held out."""
    return sentences(list(texts(corpus, "train")), list(texts(corpus, "validation")), vocabulary)


def of_file(path, vocabulary, data):
    """The `Sentences` of a text file in UTF-8, one on each line, spelled like those of a recogniser.

    Of twenty, the last one is held out.

    Args:
        path: of the file.
        vocabulary: the tokens of the recogniser. If it has no capital letters, the text becomes lower case.
        data: a `DataConfig`, that of the recogniser.

    Raises:
        UserError: the file is no text, or there is nothing in it to learn.
    """
    lowercase = data.lowercase or not any(part != part.lower() for part in vocabulary.word_parts)
    lines = [spell(line, lowercase, data.keep_punctuation) for line in read_lines(path)]
    chosen = range(_HELD_OUT - 1, len(lines), _HELD_OUT) or range(len(lines) - 1, len(lines))
    train = [line for i, line in enumerate(lines) if i not in chosen]
    return sentences(train, [lines[i] for i in chosen if i >= 0], vocabulary)
