"""Pieces of words as tokens, made by byte-pair encoding."""

import base64
import dataclasses
import functools
import io
import re
from typing import ClassVar

import numpy as np
import tensorflow as tf

from demos.speech.errors import UserError
from demos.speech.text import normalize
from demos.speech.tokens import Tokens

# What sentencepiece writes for the space before a word.
_SPACE = "\u2581"


@dataclasses.dataclass(frozen=True)
class SentencePieces(Tokens):
    """Tokens of sentencepiece, the frequent parts of words and every single character of the texts.

    Only encoding needs the package sentencepiece. 2 is `<unk>`, which is never written.

    Args:
        pieces: the tokens; a space before a word is written as U+2581.
        model: the model of sentencepiece, as base64.

    >>> pieces = SentencePieces.from_texts(["call home", "call the home office"], size=40)
    >>> [pieces.symbols[token] for token in pieces.encode("call home")]
    ['▁call', '▁home']
    >>> pieces.decode(pieces.encode("call home"))
    'call home'
    """

    encoded_by_graph: ClassVar[bool] = False

    pieces: tuple[str, ...]
    model: str = dataclasses.field(repr=False)

    def __post_init__(self):
        object.__setattr__(self, "pieces", tuple(self.pieces))  # JSON has lists

    @classmethod
    def from_texts(cls, texts, size):
        """Pieces for an iterable of strings, at most `size` with the special ones.

        Raises:
            UserError: there are more characters than that, or no texts.
        """
        import sentencepiece

        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=map(normalize, texts),
                model_writer=model,
                model_type="bpe",
                vocab_size=size,
                hard_vocab_limit=False,
                character_coverage=1.0,
                normalization_rule_name="identity",
                max_sentence_length=100_000,
                eos_id=cls.end,
                bos_id=cls.start,
                unk_id=2,
                pad_id=-1,
                eos_piece=cls.specials[0],
                bos_piece=cls.specials[1],
                num_threads=1,  # for the same result everywhere
                minloglevel=2,
            )
        except RuntimeError as error:
            needed = re.search(r"required_chars. \d+ vs (\d+)", str(error))
            reason = (
                f"a vocabulary of at least {needed[1]} tokens, as many as there are characters" if needed else "texts"
            )
            raise UserError(f"Expected {reason}. Received: vocabulary={size}") from None
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        pieces = [processor.id_to_piece(token) for token in range(len(processor))]
        return cls(pieces, base64.b64encode(model.getvalue()).decode())

    @property
    def symbols(self):
        return self.pieces

    @property
    def characters(self):
        """All characters that can be written, sorted, as one string."""
        return "".join(sorted(set("".join(self.text_parts))))

    @property
    def separators(self):
        return [piece == _SPACE for piece in self.pieces]

    @property
    def word_starts(self):
        return [piece.startswith(_SPACE) and piece != _SPACE for piece in self.pieces]

    @property
    def word_parts(self):
        return ["", "", ""] + [piece.removeprefix(_SPACE) for piece in self.pieces[3:]]

    @property
    def text_parts(self):
        return ["", "", ""] + [piece.replace(_SPACE, " ") for piece in self.pieces[3:]]

    def encode(self, text):
        ids = _processor(self.model).encode(normalize(text))
        if 2 in ids:
            unknown = sorted(set(text) - set(self.characters))
            raise UserError(
                f"Expected characters of the vocabulary {self.characters!r}. Received: {unknown} in text={text!r}"
            )
        return ids

    def encode_tensor(self, texts):
        """The ids of strings `(batch,)` or of a scalar, and their numbers; not exportable, as Python does it.

        >>> pieces = SentencePieces.from_texts(["ab", "ab a"], size=20)
        >>> tokens, lengths = pieces.encode_tensor(["ab a", "a"])
        >>> tokens.numpy().shape, lengths.numpy().tolist()
        ((2, 2), [2, 1])
        """
        texts = tf.convert_to_tensor(texts)
        tokens, lengths = tf.numpy_function(
            self._encode_batch, [tf.reshape(texts, [-1])], ["int32", "int32"], stateful=False
        )
        tokens, lengths = tf.ensure_shape(tokens, [None, None]), tf.ensure_shape(lengths, [None])
        return (tokens, lengths) if texts.shape.rank else (tokens[0], lengths[0])

    def _encode_batch(self, texts):
        ids = [self.encode(text.decode()) for text in texts]
        lengths = np.array([len(row) for row in ids], "int32")
        tokens = np.full((len(ids), lengths.max(initial=0)), self.end, "int32")
        for row, known in zip(tokens, ids, strict=True):
            row[: len(known)] = known
        return tokens, lengths

    def decode(self, ids):
        return super().decode(ids).removeprefix(" ")

    def decode_tensor(self, tokens, lengths):
        return tf.strings.regex_replace(super().decode_tensor(tokens, lengths), "^ ", "")

    def to_dict(self):
        return {"pieces": list(self.pieces), "model": self.model}

    def write_assets(self, folder):
        path = folder / "sentencepiece.model"
        path.write_bytes(base64.b64decode(self.model))
        return [path]


@functools.lru_cache(maxsize=4)
def _processor(model):
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_proto=base64.b64decode(model))
