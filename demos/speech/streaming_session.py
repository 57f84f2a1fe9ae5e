"""Recognition while a recording goes on, of a SavedModel or a run."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from demos.speech.errors import UserError
from demos.speech.loading import MODEL_FILE, load_saved_model, open_model, run_config


@dataclasses.dataclass(frozen=True)
class Streaming:
    """Recognition of one recording at a time, as it comes; each call recognises another one.

    Attributes:
        start: function that returns the first state, a dict of tensors.
        step: function of `samples`, `(samples,)` in [-1, 1], and by name of all that is in the state. Returns what
            `StreamingDecoder.step` does and the next state, in one dict.
        end: the same, after which the recording ends.
        sample_rate: Hz.
    """

    start: Callable
    step: Callable
    end: Callable
    sample_rate: int

    def __call__(self, chunks):
        """What is written of a recording that comes in chunks.

        Args:
            chunks: iterable of float32 `(samples,)` in [-1, 1].

        Yields:
            For each chunk, and once more at the end, what `StreamingDecoder.step` returns, and `ended`, whether the
            text has come to its end.
        """
        state = self.start()
        for chunk in chunks:
            written = self.step(samples=tf.constant(chunk, "float32"), **state)
            state = {name: written[name] for name in state}
            yield _written(written)
        yield _written(self.end(samples=tf.zeros(0), **state))

    def warm_up(self):
        """Hear a second of silence, as the first calls take longer: before there is anything to hear."""
        for _ in self([tf.zeros(self.sample_rate)]):
            pass


def open_streaming(path):
    """Open the streaming part of a SavedModel, a run folder or a `.keras` file.

    Raises:
        UserError: there is no model, or it cannot be read, or needs what is heard later.
    """
    path = Path(path)
    if not path.is_dir() or (path / MODEL_FILE).exists():
        from demos.speech.streaming_export import streaming

        return streaming(open_model(path), run_config(path).decoding)
    loaded = load_saved_model(path)
    if "stream" not in loaded.signatures:
        raise UserError(
            f"Expected a model that hears as it goes, as of train --preset streaming. Received: model={str(path)!r}"
        )
    start, step, end = (loaded.signatures[name] for name in ("stream_start", "stream", "stream_end"))
    return Streaming(start, step, end, int(loaded.sample_rate))


def _written(result):
    """What is no state, and what of it tells that the text is complete."""
    return {name: result[name] for name in ("text", "tokens", "token_times")} | {"ended": result["state_ended"]}
