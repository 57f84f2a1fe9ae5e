"""A beam search over one utterance with all its rules, in Python and float64, and random utterances for it.

Log probabilities are multiples of 1/1024 and alignments of 1/64, so that sums are exact and ties are ties.
"""

import dataclasses
import functools

import numpy as np

from tests import ctc_by_hand, ngram_by_hand
from tests.phrases_by_hand import tokens_said, worth

END, BLANK, SPACE, VOCABULARY, STATES, FRAMES = 0, 1, 4, 5, 6, 8


@dataclasses.dataclass(frozen=True)
class Rules:
    """The options, by the names that they have in the package."""

    ctc_weight: float = 0.0
    language_model_weight: float = 0.0
    token_bonus: float = 0.0
    forbidden: tuple = ()
    length_normalization: float = 1.0
    end_threshold: float | None = None
    coverage_penalty: float = 0.0
    max_attention_shift: int | None = None
    min_length: bool = False  # whether that of the utterance counts
    phrase_bonus: float = 0.0
    ngram_weight: float = 0.0
    recurrent_weight: float = 0.0


def rounded(log_probs):
    return np.round(np.asarray(log_probs) * 1024) / 1024


# Language models that all utterances share: of n-grams of the tokens after the end, and an Elman network.
SYMBOLS = ["</s>", "1", "2", "3", "4"]
NGRAMS = ngram_by_hand.random_ngrams(0, SYMBOLS[1:], order=3)
NGRAMS = {symbols: tuple(rounded(values).tolist()) for symbols, values in NGRAMS.items()}
WEIGHTS = np.random.default_rng(0).normal(0, 1, (3, VOCABULARY, VOCABULARY)).astype("float32")


@functools.cache
def ngram_log_probs(tokens):
    history = ["<s>", *(SYMBOLS[token] for token in tokens)]
    return np.array([ngram_by_hand.log_prob(NGRAMS, history, symbol) for symbol in SYMBOLS])


@functools.cache
def recurrent_log_probs(tokens):
    """The network is fed the token 1 first."""
    embedding, recurrent, output = WEIGHTS.astype("float64")
    state = np.zeros(VOCABULARY)
    for token in (1, *tokens):
        state = np.tanh(embedding[token] + state @ recurrent)
    logits = state @ output
    return logits - np.log(np.exp(logits).sum())


@functools.cache
def phrase_scores(tokens, phrases):
    """How many more tokens lie in phrases, or may, after each token than before it."""
    after = [tokens_said(tokens, phrases, {SPACE})]
    after += [worth((*tokens, token), phrases, {SPACE}) for token in range(1, VOCABULARY)]
    return np.array(after) - worth(tokens, phrases, {SPACE})


class Utterance:
    """A random automaton as a decoder: its state decides log probabilities and alignment. A language model. CTC."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.max_length, self.min_length = rng.integers(2, 7), rng.integers(0, 4)
        self.frames = rng.integers(4, FRAMES + 1)
        self.transitions = rng.integers(STATES, size=(STATES, VOCABULARY)).astype("int32")
        self.log_probs = self._log_probs(rng, STATES, 1.5)
        self.log_probs[rng.random(self.log_probs.shape) < 0.05] = -np.inf
        self.log_probs[:, 2] = np.maximum(self.log_probs[:, 2], -6)
        self.language_model = self._log_probs(rng, VOCABULARY, 1.0)
        self.ctc = self._log_probs(rng, FRAMES, 1.5)
        self.alignments = self._alignments(rng)
        # Beginnings of one another, now and then; some with the space in them.
        phrase = rng.integers(2, VOCABULARY, 3).tolist()
        self.phrases = tuple(map(tuple, (phrase, phrase[:2], rng.integers(2, VOCABULARY, 2).tolist())))

    @staticmethod
    def _log_probs(rng, rows, sharpness):
        logits = rng.normal(0, sharpness, (rows, VOCABULARY))
        log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        return rounded(log_probs).astype("float32")

    def _alignments(self, rng):
        """Soft, sparse and hard ones, and one without any weight; NaN in the padding."""
        weights = rng.dirichlet(np.ones(FRAMES), STATES)
        weights[1] *= weights[1] > 0.15
        weights[2:4] = np.eye(FRAMES)[rng.integers(self.frames, size=2)]
        weights[4] = 0
        weights[:, self.frames :] = np.nan
        return (np.round(weights * 64) / 64).astype("float32")

    def after(self, tokens):
        """The state of the automaton, which is fed the token 1 first."""
        return functools.reduce(lambda state, token: self.transitions[state, token], (1, *tokens), 0)

    def alignment(self, tokens):
        return self.alignments[self.after(tokens), : self.frames].astype("float64")

    def coverage(self, tokens):
        return sum((self.alignment(tokens[:t]) for t in range(len(tokens))), np.zeros(self.frames))

    def shift(self, tokens):
        """How far the peak moves in the step after the tokens."""
        peaks = [int(a.argmax()) for a in (self.alignment(tokens[:t]) for t in range(len(tokens) + 1)) if a.any()]
        moves = self.alignment(tokens).any() and len(peaks) > 1
        return abs(peaks[-1] - peaks[-2]) if moves else 0

    def is_closed(self, tokens):
        return END in tokens or len(tokens) == self.max_length

    def next_log_probs(self, tokens, rules):
        total = self.log_probs[self.after(tokens)].astype("float64") + rules.token_bonus
        if rules.ctc_weight:
            total += rules.ctc_weight * ctc_by_hand.increments(self.ctc[: self.frames], tokens, BLANK, END)
        if rules.language_model_weight:
            total += rules.language_model_weight * self.language_model[(1, *tokens)[-1]]
        if rules.ngram_weight:
            total += rules.ngram_weight * ngram_log_probs(tokens)
        if rules.recurrent_weight:
            total += rules.recurrent_weight * recurrent_log_probs(tokens)
        if rules.phrase_bonus:
            total += rules.phrase_bonus * phrase_scores(tokens, self.phrases)
        total[list(rules.forbidden)] = -np.inf
        best_other = np.delete(total, END).max()
        too_unsure = rules.end_threshold is not None and not total[END] > rules.end_threshold * best_other
        if too_unsure or (rules.min_length and len(tokens) + 1 < self.min_length):
            total[END] = -np.inf
        return total

    def score(self, total, tokens, rules):
        logs = np.log(np.clip(self.coverage(tokens), 1e-3, 1))
        return total / max(len(tokens), 1) ** rules.length_normalization + rules.coverage_penalty * logs.sum()

    def search(self, rules, width):
        """[(tokens, total)], best first."""
        beams = [((), 0.0)]
        while not all(self.is_closed(tokens) for tokens, _ in beams):
            open_ones = [tokens for tokens, _ in beams if not self.is_closed(tokens)]
            limit = FRAMES if rules.max_attention_shift is None else rules.max_attention_shift
            kept = [tokens for tokens in open_ones if self.shift(tokens) <= limit] or open_ones
            candidates = []
            for tokens, total in beams:
                if self.is_closed(tokens):
                    candidates.append((tokens, total))
                elif tokens in kept:
                    log_probs = enumerate(self.next_log_probs(tokens, rules))
                    candidates += [((*tokens, v), total + p) for v, p in log_probs if p > -np.inf]
            beams = sorted(candidates, key=lambda h: -self.score(h[1], h[0], rules))[:width]
        return beams
