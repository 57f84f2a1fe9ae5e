"""From what was heard to text: a search with the speller, its CTC output, other recognisers and language models."""

import functools

import tensorflow as tf
from keras import ops

from demos.speech import compiled_search, word_edges, words
from demos.speech.decoding import DecodingConfig
from demos.speech.speller import Speller
from keras_attn import BeamSearch, CTCPrefixScorer, Fusion, PhraseBias


class Decoder:
    """Writes down what is said, in one graph.

    The log probability of a token is that of the speller, of the CTC output and of the language models, each times its
    weight; the speller and CTC share a weight of 1. Favoured phrases add their bonus, see `keras_attn.PhraseBias`.
    In an ensemble, `K` recognisers share these weights, and the alignment is the mean of theirs:

    `log p(y) = 1/K sum_k log p_k(y)`

    Args:
        model: a `ListenAttendSpell`, or a list of those of an ensemble, which hear the same frames and write the same
            tokens, see `loading.ensemble`.
        config: a `DecodingConfig`.
        language_models: pairs of a scorer and its weight. A scorer has a function `step`, as `keras_attn.Fusion` takes
            it, and `initial_state(batch)`; and all tokens of the model's vocabulary.
        jit_compile: whether listening and the search are compiled, see `compiled_search`.

    Call arguments:
        waveform: `(batch, samples)` in [-1, 1].
        num_samples: int32 `(batch,)`.
        phrases: string `(count,)`, UTF-8 in normal form C, phrases to favour; or None.
        voices: `Voice` of the utterances, whose tensors have an axis `batch` before their own; or None.

    Returns: a dict, where `steps`, `frames` and `count` are the largest of the batch,
        text: string `(batch,)`.
        tokens: int32 `(batch, steps)`, padded with `<end>`.
        num_tokens: int32 `(batch,)`, without the end.
        score: `(batch,)`, mean log probability of the tokens and the end.
        ended: bool `(batch,)`; False where the text was cut at the limit of length.
        alignment: `(batch, steps, frames)`, zeros past the tokens and past the end of the utterance.
        frame_times: `(frames,)`, seconds.
        num_frames: int32 `(batch,)`.
        words: string `(batch, count)`, empty where there are fewer.
        num_words: int32 `(batch,)`.
        word_ids: int32 `(batch, steps)`, the number of the word of each token, -1 for none.
        word_times: `(batch, count, 2)`, start and end in seconds, see `word_edges`.
        word_confidence: `(batch, count)`, see `words.word_confidence`.
        n_best_text: string `(batch, n_best)`, best first.
        n_best_score: `(batch, n_best)`; -inf where there are fewer hypotheses.
    """

    def __init__(self, model, config=DecodingConfig(), language_models=(), jit_compile=False):
        self.models = list(model) if isinstance(model, list | tuple) else [model]
        self.model = self.models[0]
        self.config = config
        self.language_models = tuple(language_models)
        vocabulary = self.model.vocabulary
        self.ctc = CTCPrefixScorer(blank=vocabulary.blank, end_token=vocabulary.end)
        self.phrase_bias = PhraseBias(vocabulary.separators, vocabulary.end, vocabulary.word_starts)
        self.find = self._find
        if jit_compile:
            listen = functools.partial(self._listen, jit_compile=True)
            self.find = compiled_search.compiled(listen, self._search, self.model.listener_config.reduction)

    def __call__(self, waveform, num_samples, phrases=None, voices=None):
        model = self.model
        log_mel, heard = model.hear(waveform, num_samples)
        favoured = None if phrases is None else model.vocabulary.encode_tensor(phrases)
        features = ops.concatenate([one.level(log_mel, heard, voices) for one in self.models], axis=-1)
        result, mask = self.find(features, heard, favoured)
        num_frames = _num_frames(mask)
        steps = ops.max(_limit(num_frames, self.config.max_length_ratio), initial=0)
        history = {name: x[:, 0, :steps] for name, x in result.history.items()}
        result = result._replace(tokens=result.tokens[..., :steps], history=history)
        return self._written(result, log_mel, heard) | {
            "ended": ops.logical_or(result.ended[:, 0], num_frames == 0),
            "frame_times": model.frame_times(ops.shape(mask)[1]),
            "num_frames": num_frames,
        }

    def _find(self, features, mask, favoured):
        encoded, mask = self._listen(features, mask)
        return self._search(encoded, mask, favoured), mask

    def _listen(self, features, mask, jit_compile=False):
        """What each recogniser encodes, a list, from the features of all, beside each other; and the mask of that."""
        parts = ops.split(features, len(self.models), axis=-1)
        heard = [
            model.listen(part, mask, training=False, jit_compile=jit_compile)
            for model, part in zip(self.models, parts, strict=True)
        ]
        return [encoded for encoded, _ in heard], heard[0][1]

    def _search(self, encoded, mask, favoured):
        """The `BeamSearchResult` of what each encodes; `favoured` are the tokens of the phrases, and their lengths."""
        model, config = self.model, self.config
        steps_and_weights, state, constants = zip(*self._parts(encoded, mask, favoured), strict=True)
        shift = config.max_attention_shift
        search = BeamSearch(
            Fusion(steps_and_weights, forbidden=[model.vocabulary.start]),
            end_token=model.vocabulary.end,
            beam_width=config.beam_width,
            length_normalization=config.length_normalization,
            n_best=config.n_best,
            history=lambda state: {"alignment": self._alignment_of(state), "log_probs": self._said(state)},
            end_threshold=config.end_threshold,
            alignment=self._alignment_of if config.coverage_penalty or shift is not None else None,
            coverage_penalty=config.coverage_penalty,
            max_attention_shift=None if shift is None else round(shift / model.frame_grid["frame_duration"]),
        )
        num_frames = _num_frames(mask)
        return search(
            ops.full_like(num_frames, model.vocabulary.start),
            list(state),
            max_length=_limit(num_frames, config.max_length_ratio),
            constants=list(constants),
            min_length=_limit(num_frames, config.min_length_ratio),
            mask=mask,
            steps=_limit(ops.convert_to_tensor(ops.shape(mask)[1]), config.max_length_ratio),
        )

    def _parts(self, encoded, mask, favoured):
        """For each part of the fusion, its step with its weight, the state before the first step, and constants."""
        share, count, batch = self.config.ctc_weight, len(self.models), ops.shape(mask)[0]
        nothing = ops.zeros((batch, len(self.model.vocabulary)))
        for model, heard in zip(self.models, encoded, strict=True):
            memory, state = model.speller.start(heard, mask)
            step = functools.partial(_spell, model.speller)
            yield (step, (1.0 - share) / count), {"speller": state, "log_probs": nothing}, memory
        for model, heard in zip(self.models, encoded, strict=True) if share else ():
            constants = self.ctc.prepare(ops.log_softmax(model.ctc(heard)), mask)
            yield (self.ctc.step, share / count), self.ctc.initial_state(constants), constants
        for scorer, weight in self.language_models:
            yield (scorer.step, weight), scorer.initial_state(batch), None
        if favoured is not None:
            constants = self.phrase_bias.prepare(*favoured, batch)
            yield (
                (self.phrase_bias.step, self.config.phrase_bonus),
                self.phrase_bias.initial_state(constants),
                constants,
            )

    def _alignment_of(self, state):
        return _mean(Speller.alignment_of(one["speller"]) for one in state[: len(self.models)])

    def _said(self, state):
        """The log probabilities of all tokens by the spellers alone."""
        return _mean(one["log_probs"] for one in state[: len(self.models)])

    def _written(self, result, log_mel, mask):
        vocabulary = self.model.vocabulary
        tokens, num_tokens = result.tokens[:, 0], result.lengths[:, 0]
        alignment, log_probs = (result.history[name] for name in ("alignment", "log_probs"))
        log_probs = ops.take_along_axis(log_probs, tokens[:, :, None], axis=2)[:, :, 0]
        ids, num_words = words.word_ids(tokens, num_tokens, vocabulary)
        count = ops.max(num_words, initial=0)
        times = words.word_times(alignment, ids, count, **self.model.frame_grid)
        times = word_edges.to_quiet(
            times, num_words, word_edges.loudness(log_mel), mask, **self.model.log_mel.frame_grid
        )
        texts = [vocabulary.decode_tensor(result.tokens[:, n], result.lengths[:, n]) for n in range(self.config.n_best)]
        return {
            "text": texts[0],
            "tokens": tokens,
            "num_tokens": num_tokens,
            "score": result.scores[:, 0],
            "alignment": alignment,
            "words": words.word_texts(tokens, ids, count, vocabulary),
            "num_words": num_words,
            "word_ids": ids,
            "word_times": times,
            "word_confidence": words.word_confidence(log_probs, ids, count),
            "n_best_text": tf.stack(texts, axis=1),
            "n_best_score": result.scores,
        }


def _spell(speller, tokens, state, memory):
    """The step of a speller, which remembers what it said for the confidence."""
    log_probs, after = speller.step(tokens, state["speller"], memory)
    return log_probs, {"speller": after, "log_probs": log_probs}


def _mean(tensors):
    first, *others = tensors
    return sum(others, first) / (1 + len(others)) if others else first


def _num_frames(mask):
    return ops.sum(ops.cast(mask, "int32"), axis=1)


def _limit(num_frames, ratio):
    """So many tokens for each frame, and one more for the end; nothing is said in no frames."""
    tokens = ops.cast(ops.ceil(ratio * ops.cast(num_frames, "float32")), "int32")
    return ops.where(num_frames > 0, tokens + (1 if ratio else 0), 0)
