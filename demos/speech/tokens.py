"""What the recogniser writes, numbered: what all kinds of tokens have in common."""

import abc
from typing import ClassVar

import tensorflow as tf


class Tokens(abc.ABC):
    """Numbered tokens.

    0 is the end of a sentence, and padding too, so a sentence padded by at least one 0 is an ended one. 1 is the start,
    the speller's first input, and the blank of CTC: CTC emits no start and the speller no blank.
    """

    end: ClassVar[int] = 0
    start: ClassVar[int] = 1
    blank: ClassVar[int] = 1
    specials: ClassVar[tuple[str, ...]] = ("<end>", "<start>")
    encoded_by_graph: ClassVar[bool] = True  # whether `encode_tensor` can be exported

    @property
    @abc.abstractmethod
    def symbols(self):
        """The printable name of every id, a tuple of strings."""

    @property
    @abc.abstractmethod
    def separators(self):
        """For every id, whether it stands between words."""

    @property
    @abc.abstractmethod
    def word_starts(self):
        """For every id, whether it begins a word, whatever stands before it."""

    @property
    @abc.abstractmethod
    def word_parts(self):
        """For every id, what it adds to the text of its word."""

    @property
    @abc.abstractmethod
    def text_parts(self):
        """For every id, what it adds to the text."""

    @abc.abstractmethod
    def encode(self, text):
        """The ids of a text, without start or end; a UserError if it cannot be written."""

    @abc.abstractmethod
    def encode_tensor(self, texts):
        """The ids of strings `(batch,)` or of a scalar, and their numbers, as tensors."""

    @abc.abstractmethod
    def to_dict(self):
        """What `vocabularies.from_dict` takes, ready for JSON."""

    def write_assets(self, folder):
        """Write into a folder what a user of an exported model may want besides `symbols`; the paths, a list."""
        del folder
        return []

    def __len__(self):
        return len(self.symbols)

    def decode(self, ids):
        """The text of `ids`, up to the first end; start is skipped.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        ids = [int(i) for i in ids]
        if ids and not (0 <= min(ids) and max(ids) < len(self)):
            raise ValueError(f"Expected ids in [0, {len(self)}). Received: ids={ids}")
        ids = ids[: ids.index(self.end)] if self.end in ids else ids
        parts = self.text_parts
        return "".join(parts[i] for i in ids)

    def decode_tensor(self, tokens, lengths):
        """The texts of tokens, in the graph and exportable: no table, no Python.

        Args:
            tokens: integer `(batch, steps)`; end and start print as nothing.
            lengths: integer `(batch,)`, the tokens that count.

        Returns:
            string `(batch,)`, UTF-8.
        """
        written = tf.constant(self.text_parts)
        counts = tf.sequence_mask(lengths, tf.shape(tokens)[1])
        return tf.strings.reduce_join(tf.where(counts, tf.gather(written, tokens), ""), axis=-1)
