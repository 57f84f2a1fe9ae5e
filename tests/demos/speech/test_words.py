"""Words in the graph, with tokens and alignments whose words are known."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from demos.speech.text import Vocabulary
from demos.speech.words import TAIL, word_confidence, word_ids, word_texts, word_times

VOCABULARY = Vocabulary(" abcgnoé二")
DURATION, OFFSET = 0.04, 0.0075
CASES = [
    ("", [], []),
    (" ", [], [-1]),
    ("a", ["a"], [0]),
    (" ab  c ", ["ab", "c"], [-1, 0, 0, -1, -1, 1, -1]),
    ("één 二", ["één", "二"], [0, 0, 0, -1, 1]),
]


# The part of a vocabulary of pieces that words need: 1 and 2 begin a word, 3 and 4 go on, 5 is a mark between.
PIECES = SimpleNamespace(
    word_starts=[False, True, True, False, False, False],
    separators=[False, False, False, False, False, True],
    word_parts=["", "re", "a", "cog", "nise", ","],
)


def ids_and_texts(rows, lengths, vocabulary):
    tokens = tf.constant(rows, "int32")
    ids, num_words = word_ids(tokens, tf.constant(lengths), vocabulary)
    texts = word_texts(tokens, ids, tf.reduce_max(num_words), vocabulary)
    return ids.numpy().tolist(), [
        [text.decode() for text in row[:n]] for row, n in zip(texts.numpy(), num_words.numpy(), strict=True)
    ]


@pytest.mark.parametrize("text, words, expected", CASES)
def test_characters(text, words, expected):
    ids, texts = ids_and_texts([[*VOCABULARY.encode(text), 0]], [len(text)], VOCABULARY)
    assert ids == [[*expected, -1]] and texts == [words]


def test_in_a_batch_as_alone():
    rows = [VOCABULARY.encode(text) for text, _, _ in CASES]
    padded = [row + [3] * (8 - len(row)) for row in rows]  # what stands after the end does not count
    _, texts = ids_and_texts(padded, list(map(len, rows)), VOCABULARY)
    assert texts == [words for _, words, _ in CASES]


def test_pieces():
    ids, texts = ids_and_texts([[3, 4, 1, 3, 4, 2, 5, 3]], [8], PIECES)
    assert ids == [[0, 0, 1, 1, 1, 2, -1, 3]]
    assert texts == [["cognise", "recognise", "a", "cog"]]


def test_nothing_at_all():
    assert ids_and_texts(np.zeros((2, 0), int), [0, 0], VOCABULARY) == ([[], []], [[], []])


def test_times():
    # "go" on frames 2 to 4, "on" on frames 5 to 9; the space elsewhere must not count.
    alignment = np.zeros((1, 5, 20), "float32")
    for row, attended in zip(alignment[0], [[2], [3, 4], [15], [5, 6], [7, 8, 9]], strict=True):
        row[attended] = 1 / len(attended)
    times = word_times(alignment, tf.constant([[0, 0, -1, 1, 1]]), 3, DURATION, OFFSET).numpy()[0]
    # A share of the mass of 2 tokens is twice that share of the first one's.
    assert times[0, 0] == pytest.approx(OFFSET + DURATION * (2 + 2 * TAIL), abs=1e-5)
    assert times[0, 1] == pytest.approx(OFFSET + DURATION * (5 - 2 * TAIL * 2), abs=1e-5)
    assert times[1, 0] == pytest.approx(OFFSET + DURATION * (5 + 2 * TAIL * 2), abs=1e-5)


def test_confidence_is_the_geometric_mean_of_the_tokens():
    log_probs = np.log(np.array([[0.9, 0.4, 0.1, 0.8], [1.0, 1.0, 1.0, 0.5]], "float32"))
    ids = tf.constant([[0, 0, -1, 1], [-1, -1, -1, -1]])
    found = word_confidence(log_probs, ids, 3).numpy()
    np.testing.assert_allclose(found, [[0.6, 0.8, 0.0], [0.0, 0.0, 0.0]], atol=1e-6)
    impossible = word_confidence(np.full((1, 1), -math.inf, "float32"), tf.constant([[0]]), 1).numpy()
    assert impossible.tolist() == [[0.0]]
