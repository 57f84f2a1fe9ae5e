"""The search of the package over all utterances of `search_by_hand.py`, with the same rules."""

import functools

import numpy as np
from keras import ops

from keras_attn import BeamSearch, CTCPrefixScorer, Fusion, NGramScorer, PhraseBias
from tests.search_by_hand import BLANK, END, FRAMES, NGRAMS, SPACE, STATES, SYMBOLS, VOCABULARY, WEIGHTS, Utterance

CASES, N_BEST = 100, 4


@functools.cache
def utterances():
    return [Utterance(seed) for seed in range(CASES)]


def stacked(name):
    return np.stack([getattr(utterance, name) for utterance in utterances()])


def tables():
    """All utterances in tensors: what a search over them is called with."""
    arrays = {name: stacked(name) for name in ("transitions", "log_probs", "alignments", "language_model", "ctc")}
    limits = {name: stacked(name).astype("int32") for name in ("max_length", "min_length")}
    # Phrases of two or three tokens.
    phrases = np.array([[(*phrase, END)[:3] for phrase in utterance.phrases] for utterance in utterances()], "int32")
    return arrays | limits | {"phrases": phrases, "mask": np.arange(FRAMES) < stacked("frames")[:, None]}


def of_row(table, index):
    """Picks `(rows, ...)` from `(rows, n, ...)`."""
    rows = ops.arange(ops.shape(index)[0], dtype="int32") * ops.shape(table)[1] + index
    return ops.take(ops.reshape(table, (-1, *ops.shape(table)[2:])), rows, axis=0)


def decoder(tokens, state, constants):
    number = of_row(ops.reshape(constants["transitions"], (-1, STATES * VOCABULARY)), state["n"] * VOCABULARY + tokens)
    return of_row(constants["log_probs"], number), {"n": number, "alignment": of_row(constants["alignments"], number)}


def language_model(tokens, state, constants):
    return of_row(constants["language_model"], tokens), state


def recurrent(tokens, state):
    embedding, recurrent, output = (ops.convert_to_tensor(x) for x in WEIGHTS)
    state = ops.tanh(ops.take(embedding, tokens, axis=0) + ops.matmul(state, recurrent))
    return ops.log_softmax(ops.matmul(state, output)), state


SCORER = CTCPrefixScorer(blank=BLANK, end_token=END)
NGRAM_SCORER = NGramScorer(NGRAMS, SYMBOLS)
PHRASE_BIAS = PhraseBias(np.arange(VOCABULARY) == SPACE, END)


def parts_of(rules, data):
    """Step, weight, state and constants of each part."""
    batch = ops.shape(data["max_length"])[0]
    at_start = {"n": ops.zeros((batch,), "int32"), "alignment": ops.zeros_like(data["mask"], "float32")}
    ctc = SCORER.prepare(data["ctc"], data["mask"])
    lengths = ops.sum(ops.cast(data["phrases"] != END, "int32"), axis=2)
    phrases = PHRASE_BIAS.prepare(data["phrases"], lengths)
    yield decoder, 1.0, at_start, data
    yield SCORER.step, rules.ctc_weight, SCORER.initial_state(ctc), ctc
    yield language_model, rules.language_model_weight, {}, data
    yield NGRAM_SCORER.step, rules.ngram_weight, NGRAM_SCORER.initial_state(batch), None
    yield recurrent, rules.recurrent_weight, ops.zeros((batch, VOCABULARY)), None
    yield PHRASE_BIAS.step, rules.phrase_bonus, PHRASE_BIAS.initial_state(phrases), phrases


def search(rules, data, width):
    data = {name: ops.convert_to_tensor(x) for name, x in data.items()}
    steps, weights, state, constants = zip(*parts_of(rules, data), strict=True)
    beam_search = BeamSearch(
        Fusion(list(zip(steps, weights, strict=True)), token_bonus=rules.token_bonus, forbidden=rules.forbidden),
        end_token=END,
        beam_width=width,
        n_best=min(width, N_BEST),
        length_normalization=rules.length_normalization,
        end_threshold=rules.end_threshold,
        alignment=lambda state: state[0]["alignment"],
        coverage_penalty=rules.coverage_penalty,
        max_attention_shift=rules.max_attention_shift,
    )
    start, least = ops.ones_like(data["max_length"]), data["min_length"] if rules.min_length else 0
    return beam_search(start, list(state), data["max_length"], list(constants), min_length=least, mask=data["mask"])


def hypotheses(result, utterance):
    """[(tokens, total, score)] of the hypotheses that exist, the end token included."""
    names = ("tokens", "lengths", "log_probs", "scores", "ended")
    columns = [ops.convert_to_numpy(getattr(result, name)[utterance]) for name in names]
    return [
        ((*tokens[:length].tolist(), *[END] * bool(ended)), total, score)
        for tokens, length, total, score, ended in zip(*columns, strict=True)
        if total > -np.inf
    ]
