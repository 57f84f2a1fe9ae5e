"""`PhraseBias` against a count from its definition."""

import functools
import itertools

import numpy as np
import pytest
from keras import ops

from keras_attn import BeamSearch, Fusion, PhraseBias
from tests.phrases_by_hand import tokens_said, worth

END, SPACE, PIECE = 0, 1, 2  # PIECE begins a word whatever is before it
VOCABULARY = 5
SEPARATORS = np.arange(VOCABULARY) == SPACE
WORD_STARTS = np.arange(VOCABULARY) == PIECE


def padded(phrases, size=(0, 0)):
    """Tokens and lengths, with what must not matter in the padding."""
    count, length = (
        max(n, low) for n, low in zip((len(phrases), max(map(len, phrases), default=0)), size, strict=True)
    )
    tokens, lengths = np.full((count, length), 3, "int32"), np.zeros(count, "int32")
    for i, phrase in enumerate(phrases):
        tokens[i, : len(phrase)], lengths[i] = phrase, len(phrase)
    return tokens, lengths


def all_scores(bias, groups):
    """`(hypotheses, steps + 1, vocabulary)`: what may come at each step, for groups of phrases and hypotheses."""
    size = max(len(phrases) for phrases, _ in groups), max(len(p) for phrases, _ in groups for p in [*phrases, ()])
    constants = [padded(phrases, size) for phrases, hypotheses in groups for _ in hypotheses]
    constants = bias.prepare(*map(np.stack, zip(*constants, strict=True)))
    hypotheses = [(END, *tokens) for _, hypotheses in groups for tokens in hypotheses]
    state, scores = bias.initial_state(constants), []
    for tokens in itertools.zip_longest(*hypotheses, fillvalue=END):
        step, state = bias.step(ops.convert_to_tensor(tokens, "int32"), state, constants)
        scores.append(ops.convert_to_numpy(step))
    return np.stack(scores, axis=1)


@functools.cache
def random_cases():
    """25 lists of phrases of up to four tokens, and for each 100 of the 256 hypotheses of four."""
    rng = np.random.default_rng(0)

    def phrase():
        return tuple(rng.integers(1, VOCABULARY, rng.integers(0, 5)).tolist())

    def hypotheses():
        return [tuple(tokens) for tokens in rng.integers(1, VOCABULARY, (100, 4)).tolist()]

    return [([phrase() for _ in range(rng.integers(0, 6))], hypotheses()) for _ in range(25)]


def test_every_hypothesis_gets_the_tokens_of_the_phrases_it_says():
    scores = all_scores(PhraseBias(SEPARATORS, END, WORD_STARTS), random_cases())
    seen = set()
    cases = [(phrases, tokens) for phrases, hypotheses in random_cases() for tokens in hypotheses]
    for (phrases, tokens), of_steps in zip(cases, scores, strict=True):
        total = 0.0
        for t, token in enumerate((*tokens, END)):
            said = tokens_said(tokens[:t], phrases, {SPACE}, {PIECE})
            assert total == worth(tokens[:t], phrases, {SPACE}, {PIECE})
            assert total + of_steps[t, END] == said
            total += of_steps[t, token]
            seen.add(said)
    assert seen == {0, 1, 2, 3, 4}


def letters(text):
    """`_` is the end."""
    return tuple("_ abcdefghijklmnopqrstuvwxyz".index(letter) for letter in text)


OVERLAPS = [
    (["new", "new york"], "in new york", 8),
    (["new", "new york"], "in new ark", 3),
    (["new york"], "in new yorkshire", 0),
    (["new york"], "renew york", 0),
    (["new york", "york city"], "new york city", 13),
    (["new new york"], "new new new york", 12),
    (["york"], "new york york", 8),
    (["anna", "anna"], "call anna", 4),
    (["call anna", "call bob", "call carl"], "call me", 0),
    (["bob", "call bob now"], "call bob later", 3),
    ([], "call bob", 0),
    (["", " "], "call bob", 1),
]


def test_phrases_that_overlap():
    bias = PhraseBias([letter == " " for letter in "_ abcdefghijklmnopqrstuvwxyz"], END)
    cases = [([letters(phrase) for phrase in phrases], [letters(text)]) for phrases, text, _ in OVERLAPS]
    for of_steps, (phrases, text, count) in zip(all_scores(bias, cases), OVERLAPS, strict=True):
        assert of_steps[np.arange(len(text) + 1), letters(text + "_")].sum() == count, (phrases, text)


def test_a_common_beginning_is_paid_once():
    bias = PhraseBias(SEPARATORS, END)
    (scores,) = all_scores(bias, [([(2, 3), (2, 3, 4), (2, 4)], [(2,)])])
    np.testing.assert_array_equal(scores, [[0, 0, 1, 0, 0], [-1, -1, -1, 1, 1]])


def test_what_is_no_token_is_never_said():
    bias, hypotheses = PhraseBias(SEPARATORS, END), random_cases()[0][1]
    plain = all_scores(bias, [([(2, 3)], hypotheses)])
    others = [(2, VOCABULARY), (2, END), (2, -1, 3), (2, 10**6), (2, 3)]
    np.testing.assert_array_equal(all_scores(bias, [(others, hypotheses)]), plain)


def test_in_a_search():
    """A decoder that slightly prefers another token to the second of the phrase."""

    def step(tokens, state):
        return ops.log(ops.convert_to_tensor([[0.2, 0.1, 0.3, 0.18, 0.22]])) + ops.zeros(
            (ops.shape(tokens)[0], 1)
        ), state

    bias = PhraseBias(SEPARATORS, END)
    constants = bias.prepare(*padded([(4, 3)]), batch=1)
    for weight, expected in ((0.0, []), (2.0, [4, 3])):
        search = BeamSearch(
            Fusion([(step, 1.0), (bias.step, weight)]), end_token=END, beam_width=4, length_normalization=0
        )
        result = search([1], [{}, bias.initial_state(constants)], 3, [None, constants])
        assert ops.convert_to_numpy(result.tokens[0, 0, : int(result.lengths[0, 0])]).tolist() == expected
    np.testing.assert_allclose(result.scores[0, 0], np.log(0.22 * 0.18 * 0.2) + 2 * 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 0), r"Expected one boolean for each token. Received: separators=\[\]"),
        (([True], 1), "Expected end_token as an int from 0 to 0. Received: end_token=1"),
        (([True], 0, [True, False]), "Expected one boolean for each of 1 tokens. Received: word_starts="),
    ],
)
def test_bad_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        PhraseBias(*arguments)


@pytest.mark.parametrize(("shapes", "batch"), [(((2,), (1,)), 1), (((1, 2, 3), (1, 2)), 1), (((2, 3), (2,)), None)])
def test_phrases_of_another_shape(shapes, batch):
    phrases, lengths = (np.ones(shape, "int32") for shape in shapes)
    with pytest.raises(ValueError, match=r"Expected phrases with \d axes .* Received: phrases.shape=\("):
        PhraseBias(SEPARATORS, END).prepare(phrases, lengths, batch)


def test_all_utterances_may_have_the_same_phrases():
    bias = PhraseBias(SEPARATORS, END)
    tokens, lengths = padded([(2, 3), (4,)])
    shared, own = bias.prepare(tokens, lengths, 3), bias.prepare(np.stack([tokens] * 3), np.stack([lengths] * 3))
    for name in own:
        np.testing.assert_array_equal(ops.convert_to_numpy(shared[name]), ops.convert_to_numpy(own[name]))
