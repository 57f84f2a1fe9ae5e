"""`NGramScorer` and `WordNGramScorer` against `ngram_by_hand.py`, which is written from the definition."""

import functools
import itertools

import numpy as np
import pytest
from keras import ops

from keras_attn import BeamSearch, Fusion, NGramScorer, WordNGramScorer
from tests.ngram_by_hand import log_prob, log_prob_of_sentence, random_ngrams

SYMBOLS = ["</s>", "<s>", "<space>", "a", "b", "c"]
SPOKEN = SYMBOLS[2:]


@functools.cache
def model(seed):
    return random_ngrams(seed, SPOKEN, order=1 + seed % 4)


def united(seeds):
    """One model of several that share no word, and its symbols: much is computed at once."""
    ngrams = {tuple(f"{i} {x}" for x in words): values for i in seeds for words, values in model(i).items()}
    return ngrams, [f"{i} {symbol}" for i in seeds for symbol in SYMBOLS]


def scores_along(scorer, hypotheses):
    """`(hypotheses, steps + 1, vocabulary)`: what may come at each step of hypotheses of equal length."""
    state, scores = scorer.initial_state(len(hypotheses)), []
    for tokens in np.array([(0, *tokens) for tokens in hypotheses], "int32").T:
        step, state = scorer.step(ops.convert_to_tensor(tokens), state)
        scores.append(ops.convert_to_numpy(step))
    return np.stack(scores, axis=1)


@pytest.mark.parametrize("seeds", [range(25), range(25, 50), range(50, 75), range(75, 100)])
def test_equals_the_recursion(seeds):
    """A hundred random models, and in each ten hypotheses of their start and four tokens."""
    numbers = np.random.default_rng(seeds[0]).integers(2, len(SYMBOLS), (len(seeds), 10, 5))
    numbers[:, :, 0] = SYMBOLS.index("<s>")
    offsets = np.arange(len(seeds))[:, None, None] * len(SYMBOLS)
    scores = scores_along(NGramScorer(*united(seeds)), (numbers + offsets).reshape(-1, 5).tolist())
    scores = scores.reshape(len(seeds), 10, 6, len(seeds), len(SYMBOLS))[:, :, 1:]
    for i, seed in enumerate(seeds):
        known = [[[SYMBOLS[n] for n in row[:t]] for t in range(1, 6)] for row in numbers[i]]
        expected = [[[log_prob(model(seed), history, x) for x in SYMBOLS] for history in row] for row in known]
        np.testing.assert_allclose(scores[i, :, :, i], expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.exp(scores[i, :, :, i]).sum(axis=-1), 1, rtol=1e-5)


def test_begins_after_the_start():
    ngrams = model(3)
    (scores,) = scores_along(NGramScorer(ngrams, SYMBOLS), [[3, 4]])
    for t, history in enumerate([["<s>"], ["<s>", "a"], ["<s>", "a", "b"]]):
        np.testing.assert_allclose(scores[t], [log_prob(ngrams, history, x) for x in SYMBOLS], rtol=1e-5, atol=1e-5)


def test_the_models_back_off_and_do_not():
    contexts = itertools.product(SPOKEN, repeat=3)
    lengths = [next(i for i in range(4) if (*context[i:], "a") in model(3)) for context in contexts]
    assert set(lengths) == {0, 1, 2, 3}


def test_pruned_contexts():
    """After `a b` only what follows `b` is left, and a step later `b c` is still known."""
    ngrams = {(x,): (-2.0, -0.5) for x in ("<s>", "</s>", "a", "b", "c")}
    ngrams |= {("b", "c"): (-1.0, -0.25), ("b", "c", "a"): (-0.125, 0.0)}
    scores = scores_along(NGramScorer(ngrams, ["</s>", "a", "b", "c"]), [[1, 2, 3, 1]])
    np.testing.assert_array_equal(
        scores[0, [2, 3, 4]], [[-2.5, -2.5, -2.5, -1], [-2.75, -0.125, -2.75, -2.75], [-2.5] * 4]
    )


def test_symbols_that_the_model_does_not_know():
    ngrams = {("</s>",): (-1.0, 0.0), ("a",): (-2.0, -0.5), ("a", "c"): (-3.0, 0.0)}
    (scores,) = scores_along(NGramScorer(ngrams, ["</s>", "a", "b"]), [[2, 1]])
    np.testing.assert_array_equal(scores, [[-1, -2, -np.inf]] * 2 + [[-1.5, -2.5, -np.inf]])
    ngrams |= {("<unk>",): (-4.0, -0.25), ("<unk>", "a"): (-0.125, 0.0)}
    (scores,) = scores_along(NGramScorer(ngrams, ["</s>", "a", "b"]), [[2, 1]])
    np.testing.assert_array_equal(scores, [[-1, -2, -4], [-1.25, -0.125, -4.25], [-1.5, -2.5, -4.5]])


VOCABULARY = ["", "", " ", "a", "b", "c", "bc"]  # end, start, space, and a piece of two letters
SPACE = 2
LEXICON = ["a", "ab", "abc", "bca", "c"]


def words_scorer(ngrams, parts=VOCABULARY, separators=(SPACE,), word_starts=()):
    separators, word_starts = (np.isin(np.arange(len(parts)), x) for x in (separators, word_starts))
    return WordNGramScorer(ngrams, parts, separators, end_token=0, word_starts=word_starts)


def totals(scorer, hypotheses):
    """The sums of the scores of hypotheses and their end token."""
    scores = scores_along(scorer, hypotheses)
    chosen = np.array([(*tokens, 0) for tokens in hypotheses])
    return np.take_along_axis(scores, chosen[:, :, None], axis=2).sum(axis=(1, 2))


@pytest.mark.parametrize("seed", range(4))
def test_words_equal_the_recursion(seed):
    """Also words that are unknown, cut into other tokens, and separated by several spaces."""
    ngrams = random_ngrams(seed, [*LEXICON, "<unk>"], order=1 + seed % 3)
    hypotheses = np.random.default_rng(seed).integers(2, len(VOCABULARY), (100, 6)).tolist()
    texts = ["".join(VOCABULARY[token] for token in tokens) for tokens in hypotheses]
    expected = [log_prob_of_sentence(ngrams, text.split()) for text in texts]
    np.testing.assert_allclose(totals(words_scorer(ngrams), hypotheses), expected, rtol=1e-5)
    words = {word for text in texts for word in text.split()}
    assert words & set(LEXICON) and words - set(LEXICON)


def test_the_likeliest_word_is_given_in_advance():
    """Before a word ends, its letters are worth the most that a word with them is worth without context."""
    ngrams = random_ngrams(0, [*LEXICON, "<unk>"], order=2)
    for text in ("a", "ab", "ca", "c ab", "ab bc", "b cb", "c  "):
        tokens = [VOCABULARY.index(letter) for letter in text]
        (scores,) = scores_along(words_scorer(ngrams), [tokens])
        *whole, begun = text.split(" ")
        likely = [word for word in LEXICON if word.startswith(begun)] or ["<unk>"]
        advance = max(ngrams[word,][0] for word in likely) if begun else 0.0
        history = ["<s>", *(word if word in LEXICON else "<unk>" for word in whole if word)]
        expected = sum(log_prob(ngrams, history[:i], history[i]) for i in range(1, len(history))) + advance
        np.testing.assert_allclose(scores[np.arange(len(tokens)), tokens].sum(), expected, rtol=1e-5)


def test_tokens_that_begin_words():
    """Pieces with the mark of a space before them, and none between words."""
    ngrams = random_ngrams(0, LEXICON, order=2)
    scorer = words_scorer(ngrams, ["", "", "a", "b", "abc", ""], separators=(), word_starts=(2, 4))
    said = {(2, 3, 2): "ab a", (4, 4, 2): "abc abc a", (2, 2, 3): "a ab", (1, 2, 4): "a abc"}
    expected = [log_prob_of_sentence(ngrams, text.split()) for text in said.values()]
    np.testing.assert_allclose(totals(scorer, list(said)), expected, rtol=1e-5)


def test_letters_as_one_string():
    scorer = words_scorer(random_ngrams(0, LEXICON, order=2), "__ abc")
    listed = words_scorer(random_ngrams(0, LEXICON, order=2), VOCABULARY[:6])
    np.testing.assert_array_equal(*(totals(one, [(3, 4, 2), (3, 3, 3)]) for one in (scorer, listed)))


def test_without_an_unknown_word_what_is_no_word_is_impossible():
    scorer = words_scorer(random_ngrams(0, LEXICON, order=2))
    found = totals(scorer, [(3, 4, 2), (4, 3, 2), (2, 2, 2), (3, 6, 6)])
    np.testing.assert_array_equal(np.isfinite(found), [True, False, True, False])


def test_in_a_search():
    """The decoder hears `a?_?a` and cannot tell `b` from `c`; the words decide."""
    heard = np.full((6, len(VOCABULARY)), 1e-3)
    for t, tokens in enumerate(([3], [4, 5], [SPACE], [4, 5], [3], [0])):
        heard[t, tokens] = 0.5

    def step(tokens, time):
        return ops.log(ops.take(ops.convert_to_tensor(heard, "float32"), time, axis=0)), time + 1

    ngrams = {(x,): (-1.0, 0.0) for x in ("</s>", "ab", "ca")}
    scorer = words_scorer(ngrams | {("ab", "ca"): (-0.1, 0.0)})
    search = BeamSearch(Fusion([(step, 1.0), (scorer.step, 1.0)]), end_token=0, length_normalization=0)
    result = search([1], [np.zeros(1, "int32"), scorer.initial_state(1)], max_length=6)
    assert ops.convert_to_numpy(result.tokens)[0, 0].tolist() == [3, 4, SPACE, 5, 3, 0]
    np.testing.assert_allclose(result.scores[0, 0], 6 * np.log(0.5) - 1 - 0.1 - 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("ngrams", "message"),
    [
        ({}, "Expected a language model with at least one n-gram. Received: ngrams={}"),
        ({("</s>",): (0.0, 0.0), ("a", "b"): (0.0, 0.0)}, r"Expected the first words .* Received: ngram=\('a', 'b'\)"),
        ({("a",): (-1.0, 0.0)}, "Expected a language model that knows the end of a sentence"),
    ],
)
def test_bad_models(ngrams, message):
    with pytest.raises(ValueError, match=message):
        words_scorer(ngrams)


def test_a_part_for_each_token():
    with pytest.raises(ValueError, match="Expected one string for each of 2 tokens. Received: parts="):
        WordNGramScorer(model(0), ["", "a", "b"], [False, True], end_token=0)
