"""Characters and their numbers, in Python and in the graph."""

import dataclasses
import unicodedata

import tensorflow as tf

from demos.speech.errors import UserError
from demos.speech.tokens import Tokens


@dataclasses.dataclass(frozen=True)
class Vocabulary(Tokens):
    """The characters that the recogniser writes, numbered.

    | id | symbol |
    |---|---|
    | 0 | `<end>`, the end of a sentence; padding too, so a sentence padded by at least one 0 is an ended one |
    | 1 | `<start>`, the speller's first input, and the blank of CTC: CTC emits no start and the speller no blank |
    | 2 ... | the characters, sorted by Unicode code point |

    A character is one Unicode code point of a text in normal form C. Python methods bring texts into that form; those
    that work in the graph cannot and expect it.

    Args:
        characters: the characters, each once and sorted, as one string.

    Raises:
        ValueError: the characters are none, repeated, out of order or not in normal form C.

    >>> vocabulary = Vocabulary.from_texts(["call home", "call"])
    >>> vocabulary
    Vocabulary(characters=' acehlmo')
    >>> vocabulary.encode("home")
    [6, 9, 8, 5]
    >>> vocabulary.decode([6, 9, 8, 5, 0, 0])
    'home'
    >>> vocabulary.symbols[:4], len(vocabulary)
    (('<end>', '<start>', ' ', 'a'), 10)
    >>> vocabulary.decode_tensor([[6, 9, 8, 5, 0], [3, 5, 5, 5, 5]], [4, 1]).numpy().tolist()
    [b'home', b'a']
    """

    characters: str

    def __post_init__(self):
        normal = all(unicodedata.is_normalized("NFC", character) for character in self.characters)
        if not self.characters or not normal or list(self.characters) != sorted(set(self.characters)):
            raise ValueError(
                "Expected characters in normal form C, each once and sorted (Vocabulary.from_texts sees to that). "
                f"Received: characters={self.characters!r}"
            )

    @classmethod
    def from_texts(cls, texts):
        """The vocabulary of all characters that occur in an iterable of strings."""
        return cls("".join(sorted(set().union(*(normalize(text) for text in texts)))))

    @property
    def symbols(self):
        return self.specials + tuple(self.characters)

    @property
    def separators(self):
        return [symbol == " " for symbol in self.symbols]

    @property
    def word_starts(self):
        """None does."""
        return [False] * len(self)

    @property
    def word_parts(self):
        return [""] * len(self.specials) + list(self.characters)

    @property
    def text_parts(self):
        return self.word_parts

    def encode(self, text):
        """The ids of the characters of `text`, without start or end.

        Raises:
            UserError: a character is not in the vocabulary.
        """
        return [self._id(character, text) for character in normalize(text)]

    def _id(self, character, text):
        index = self.characters.find(character)
        if index < 0:
            raise UserError(
                f"Expected characters of the vocabulary {self.characters!r}. Received: character={character!r} in "
                f"text={text!r}"
            )
        return len(self.specials) + index

    def encode_tensor(self, texts):
        """The ids of strings, in the graph.

        Args:
            texts: string `(batch,)`, UTF-8 in normal form C; or a scalar.

        Returns:
            tokens: int32 `(batch, longest)`, padded with `end`; `(length,)` for a scalar.
            lengths: int32 `(batch,)`, the characters of each text; a scalar for a scalar.

        Raises:
            tf.errors.InvalidArgumentError: when run, a character is not in the vocabulary.

        >>> tokens, lengths = Vocabulary(" abc").encode_tensor(["cab", "a"])
        >>> tokens.numpy().tolist(), lengths.numpy().tolist()
        ([[5, 3, 4], [3, 0, 0]], [3, 1])
        """
        code_points = tf.strings.unicode_decode(texts, "UTF-8")
        if not isinstance(code_points, tf.RaggedTensor):
            return self._tokens(code_points), tf.size(code_points)
        tokens = code_points.with_values(self._tokens(code_points.values))
        return tokens.to_tensor(self.end), tf.cast(code_points.row_lengths(), "int32")

    def _tokens(self, code_points):
        # The characters are sorted, so a binary search stands for a table, which would be a resource to export.
        known = tf.constant([ord(character) for character in self.characters], "int32")
        index = tf.minimum(tf.searchsorted(known, code_points), len(self.characters) - 1)
        unknown = tf.boolean_mask(code_points, tf.gather(known, index) != code_points)
        message = f"Expected characters of the vocabulary {self.characters!r}. Received:"
        tf.debugging.Assert(tf.size(unknown) == 0, [message, tf.strings.unicode_encode(unknown[:, None], "UTF-8")])
        return index + len(self.specials)

    def to_dict(self):
        return {"characters": self.characters}


def normalize(text):
    """`text` in Unicode normal form C, where an accented letter is one character if it can be.

    >>> len("e\\u0301"), len(normalize("e\\u0301"))
    (2, 1)
    """
    return unicodedata.normalize("NFC", text)
