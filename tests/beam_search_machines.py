"""Small random machines that emit tokens, and slow searches over what they emit."""

import functools

import numpy as np
import tensorflow as tf
from keras import ops

from keras_attn.beam_search import BeamSearch

END, VOCABULARY, MACHINE_STATES, CASES = 0, 5, 7, 100
EXPONENTS = (0.0, 0.5, 1.0)


class Machine:
    """A random automaton: its state decides the log probabilities, and with the token its next state.

    The log probabilities are multiples of 1/1024, so that sums are exact and ties are ties.
    """

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.vocabulary = 3 + seed % 3
        self.max_length = 1 + seed // 3 % 5
        self.exponent = EXPONENTS[seed // 15 % 3]
        logits = rng.normal(0, 1.5, (MACHINE_STATES, VOCABULARY))
        logits[:, self.vocabulary :] = -np.inf
        logits[rng.random(logits.shape) < 0.05] = -np.inf
        logits[:, END] = np.maximum(logits[:, END], -2)
        log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        self.log_probs = (np.round(log_probs * 1024) / 1024).astype("float32")
        self.transitions = rng.integers(MACHINE_STATES, size=(MACHINE_STATES, VOCABULARY)).astype("int32")

    def after(self, tokens):
        """The state and the log probabilities after some tokens, the first step being fed token 1."""
        state = 0
        for token in (1, *tokens):
            state = self.transitions[state, token]
        return state, self.log_probs[state]

    def score(self, total, tokens):
        return np.float32(total) / np.float32(max(len(tokens), 1)) ** np.float32(self.exponent)

    def continuations(self, tokens, total):
        log_probs = self.after(tokens)[1]
        return [((*tokens, v), total + log_probs[v]) for v in range(VOCABULARY) if log_probs[v] > -np.inf]

    def is_closed(self, tokens):
        return END in tokens or len(tokens) == self.max_length


@functools.cache
def machines():
    return [Machine(seed) for seed in range(CASES)]


@functools.cache
def every_sequence(seed):
    """All (tokens, total) that are closed, best first."""
    machine, found = machines()[seed], []
    open_ones = [((), np.float32(0))]
    while open_ones:
        candidates = [c for h in open_ones for c in machine.continuations(*h)]
        found += [c for c in candidates if machine.is_closed(c[0])]
        open_ones = [c for c in candidates if not machine.is_closed(c[0])]
    return sorted(found, key=lambda h: -machine.score(h[1], h[0]))


def slow_beam_search(machine, width):
    beams = [((), np.float32(0))]
    while not all(machine.is_closed(tokens) for tokens, _ in beams):
        candidates = []
        for hypothesis in beams:
            candidates += [hypothesis] if machine.is_closed(hypothesis[0]) else machine.continuations(*hypothesis)
        beams = sorted(candidates, key=lambda h: -machine.score(h[1], h[0]))[:width]  # sorted() keeps the order of ties
    return beams


def step(tokens, state, constants):
    """The machines of a batch, in tensors."""
    rows = ops.arange(ops.shape(tokens)[0])
    number = state["number"]
    flat = (rows * MACHINE_STATES + number) * VOCABULARY + tokens
    number = ops.take(ops.reshape(constants["transitions"], (-1,)), flat)
    log_probs = ops.take(ops.reshape(constants["log_probs"], (-1, VOCABULARY)), rows * MACHINE_STATES + number, axis=0)
    counts = state["more"][0] + ops.one_hot(tokens, VOCABULARY)
    return log_probs, {"number": number, "more": [counts]}


def start(batch):
    return {"number": np.zeros(batch, "int32"), "more": [np.zeros((batch, VOCABULARY), "float32")]}


def tables(batch):
    return {name: np.stack([getattr(m, name) for m in batch]) for name in ("transitions", "log_probs")}


def search(batch, width, n_best, exponent=None, history=None, constants=None):
    exponent = batch[0].exponent if exponent is None else exponent
    beam_search = BeamSearch(
        step, end_token=END, beam_width=width, length_normalization=exponent, n_best=n_best, history=history
    )
    limits = np.array([m.max_length for m in batch], "int32")
    constants = tables(batch) if constants is None else constants
    result = beam_search(np.ones(len(batch), "int32"), start(len(batch)), limits, constants)
    return as_numpy(result)


def as_numpy(result):
    history = tf.nest.map_structure(ops.convert_to_numpy, result.history)
    return type(result)(*(ops.convert_to_numpy(x) for x in result[:5]), history)


def hypotheses(result, utterance):
    """The hypotheses of a result as [(tokens, total)], the end token included."""
    found = []
    for tokens, length, total, ended in zip(
        result.tokens[utterance],
        result.lengths[utterance],
        result.log_probs[utterance],
        result.ended[utterance],
        strict=True,
    ):
        assert (tokens[length:] == END).all()
        if total > -np.inf:
            found.append(((*tokens[:length].tolist(), *[END] * bool(ended)), total))
        else:
            assert length == 0 and not ended
    return found


def groups(chosen):
    """The chosen cases by exponent, which is one for a whole search."""
    for exponent in EXPONENTS:
        yield [seed for seed in chosen if machines()[seed].exponent == exponent]
