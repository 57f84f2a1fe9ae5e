"""Recognition while a recording goes on: some samples and a state in, what can be written and the next state out."""

import tensorflow as tf
from keras import ops

from demos.speech.errors import UserError
from demos.speech.speller import Speller
from keras_attn import alignments, scorers

# Seconds that are held for the attention: so long it may wait for something that is worth writing.
HELD_SECONDS = 10.0
# Scorers that compare a query with each frame by itself, wherever it stands.
_SCORERS = (scorers.Additive, scorers.Cosine, scorers.Dot, scorers.General, scorers.ProjectedDot, scorers.ScaledDot)


class StreamingDecoder:
    """Writes down what is said as soon as the attention stops, in memory that does not grow.

    The text is what a greedy `Decoder` would make of the whole, and so are the frames where the attention stops, as
    long as it never waits for more than `HELD_SECONDS`. A state is a nest of tensors: samples that do not yet fill a
    frame of the listener, the states of its LSTMs, its last frames, and the state of the speller.

    Args:
        model: a `ListenAttendSpell` that can be used so; see `require_streaming`.
        max_length_ratio: at most so many tokens for each frame of the listener, as of `DecodingConfig`.

    Raises:
        UserError: the model needs what is heard later.
    """

    def __init__(self, model, max_length_ratio=1.0):
        require_streaming(model)
        self.model = model
        self.max_length_ratio = max_length_ratio
        self.held = round(HELD_SECONDS / model.frame_grid["frame_duration"])

    def initial_state(self):
        """The state before the first sample."""
        model = self.model
        frames = ops.zeros((1, self.held, model.listener.output_dim))
        _, speller = model.speller.start(frames, ops.zeros((1, self.held), "bool"))
        return {
            "samples": ops.zeros((0,)),
            "listener": model.listener.initial_state(1),
            "frames": frames,
            "num_frames": ops.zeros((), "int32"),
            "speller": {name: value for name, value in speller.items() if name != "attention"},
            "place": ops.zeros((), "int32"),
            "token": ops.full((1,), model.vocabulary.start, "int32"),
            "num_tokens": ops.zeros((), "int32"),
            "ended": ops.zeros((), "bool"),
        }

    def step(self, samples, state, last=False):
        """Hear on.

        Args:
            samples: `(samples,)` in [-1, 1], as many as there are.
            state: what `initial_state` or an earlier step returned.
            last: whether the recording ends here. What was waited for is then written.

        Returns:
            A dict of
                text: string scalar, what is written of what was heard now.
                tokens: int32 `(tokens,)`.
                token_times: `(tokens,)`, middle of the frame where the attention stopped, seconds from the start.
            And the next state; `ended` in it is True from the end of the text on, when nothing is written any more.
        """
        encoded, state = self._hear(ops.concatenate([state["samples"], samples]), state, last)
        frames = ops.concatenate([state["frames"], encoded], axis=1)
        tokens, places, state = self._write(frames, state, last)
        grid = self.model.frame_grid
        times = grid["offset"] + grid["frame_duration"] * (ops.cast(places, "float32") + 0.5)
        state["frames"] = frames[:, -self.held :]
        return {"text": _text(tokens, self.model.vocabulary), "tokens": tokens, "token_times": times}, state

    def _hear(self, samples, state, last):
        """The frames of the listener that are complete, `(1, frames, dim)`."""
        model, total = self.model, tf.shape(samples)[0]
        reduction, hop = (
            model.listener_config.reduction,
            round(model.log_mel.frame_duration * model.log_mel.sample_rate),
        )
        # A recording that is shorter than a window has a frame, but a rest has not.
        enough = (total >= round(model.log_mel.window * model.log_mel.sample_rate)) | (
            last & (state["num_frames"] == 0)
        )
        features = ops.where(enough, model.log_mel.num_frames(total), 0)
        count = -(-features // reduction) if last else features // reduction
        features = features if last else count * reduction

        def encode():
            heard, mask = model.features(samples[None], total[None])
            heard, mask = heard[:, :features], mask[:, :features]
            encoded, _, after = model.listener.step(model.normalization(heard, mask), mask, state["listener"])
            return encoded, after

        nothing = ops.zeros((1, 0, model.listener.output_dim))
        encoded, listener = tf.cond(count > 0, encode, lambda: (nothing, state["listener"]))
        rest = {"samples": samples[count * reduction * hop :], "num_frames": state["num_frames"] + count}
        return encoded, {**state, **rest, "listener": listener}

    def _write(self, frames, state, last):
        """The tokens `(tokens,)` for which the attention finds a place in the frames, and these places."""
        cell, total = self.model.speller.rnn.cell, tf.shape(frames)[1]
        first = state["num_frames"] - total
        mask = (ops.arange(total) + first >= 0)[None]
        memory = cell.prepare(frames, mask=mask)
        limit = tf.cast(tf.math.ceil(self.max_length_ratio * tf.cast(state["num_frames"], "float32")), "int32") + 1
        limit = tf.where(state["num_frames"] > 0, limit, 0)

        def goes_on(waits, state, tokens, places):
            return ~waits & ~state["ended"] & (state["num_tokens"] < limit)

        def step(waits, state, tokens, places):
            place = ops.one_hot(ops.maximum(state["place"] - first, 0), total)[None]
            speller = {**state["speller"], "attention": [self._attention(memory, place, state["num_tokens"])]}
            log_probs, after = self.model.speller.step(state["token"], speller, memory)
            stopped = ops.any(Speller.alignment_of(after) > 0)
            place = after.pop("attention")[0]["alignment_function"]["place"]
            token = ops.cast(ops.argmax(self._allowed(log_probs), axis=-1), "int32")
            written = {
                "speller": after,
                "place": first + ops.cast(ops.argmax(place[0]), "int32"),
                "token": token,
                "num_tokens": state["num_tokens"] + 1,
                "ended": token[0] == self.model.vocabulary.end,
            }
            return tf.cond(
                stopped | last,
                lambda: (False, {**state, **written}, *self._append(tokens, places, written)),
                lambda: (True, state, tokens, places),
            )

        empty = [tf.TensorArray("int32", 0, dynamic_size=True, element_shape=()) for _ in range(2)]
        _, state, tokens, places = tf.while_loop(goes_on, step, (False, state, *empty))
        return tokens.stack(), places.stack(), state

    def _attention(self, memory, place, position):
        """The state of the attention that has stopped at a place last, `(1, frames)`, after so many tokens."""
        state = self.model.speller.rnn.cell.initial_state(memory)["attention"][0]
        own = {"place": place, "position": position[None]}
        function = {name: own[name] for name in state["alignment_function"]}
        return {**state, "alignment": place, "position": position[None], "alignment_function": function}

    def _append(self, tokens, places, written):
        """Tokens and places with one more of each, but for the end."""

        def more():
            return tokens.write(tokens.size(), written["token"][0]), places.write(places.size(), written["place"])

        return tf.cond(written["ended"], lambda: (tokens, places), more)

    def _allowed(self, log_probs):
        start = ops.one_hot(self.model.vocabulary.start, len(self.model.vocabulary), dtype="bool")
        return ops.where(start, -float("inf"), log_probs)


def require_streaming(model):
    """Raise UserError unless nothing that a model writes depends on what is heard much later."""
    listener, attention = model.listener_config, model.speller.rnn.cell.attentions[0]
    alignment, chunk_scorer = attention.alignment, getattr(attention.alignment, "chunk_scorer", None)
    for setting, value, right in (
        ("features.subtract_mean", model.features_config.subtract_mean, not model.features_config.subtract_mean),
        ("features.scale_to_peak", model.features_config.scale_to_peak, not model.features_config.scale_to_peak),
        ("features.delta_window", model.features_config.delta_window, not model.features_config.delta_window),
        ("listener.bidirectional", listener.bidirectional, not listener.bidirectional),
        ("listener.convolutions", listener.convolutions, not listener.convolutions),
        ("speller.scorer", type(attention.scorer).__name__, isinstance(attention.scorer, _SCORERS)),
        (
            "speller.alignment",
            type(alignment).__name__,
            isinstance(alignment, alignments.Monotonic),
        ),
        ("mode", getattr(alignment, "mode", None), getattr(alignment, "mode", None) in ("hard", "median", "auto")),
        ("chunk_size", getattr(alignment, "chunk_size", 1), getattr(alignment, "chunk_size", 1) is not None),
        ("chunk_scorer", type(chunk_scorer).__name__, isinstance(chunk_scorer, (*_SCORERS, type(None)))),
    ):
        if not right:
            raise UserError(
                f"Expected a model that hears as it goes, as of train --preset streaming. Received: {setting}={value}"
            )


def _text(tokens, vocabulary):
    """The text of tokens that follow others: a word that begins with one of them has a space before it."""
    starts = tf.where(tf.gather(vocabulary.word_starts, tokens), " ", "")
    written = tf.where(tf.gather(vocabulary.separators, tokens), " ", tf.gather(vocabulary.word_parts, tokens))
    return tf.strings.reduce_join(tf.strings.join([starts, written]))
