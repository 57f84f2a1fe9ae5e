"""The functions of a `StreamingDecoder` as graphs of tensors with names, as a SavedModel has them."""

import keras
import tensorflow as tf

from demos.speech.errors import UserError
from demos.speech.streaming import StreamingDecoder, require_streaming
from demos.speech.streaming_session import Streaming


def streaming_signatures(model, decoding):
    """Signatures for recognition while a recording goes on; none for a model that needs what is heard later.

    | name | takes | gives |
    |---|---|---|
    | `stream_start` | | the state before the first sample: tensors whose names begin with `state_` |
    | `stream` | `samples`: float32 `(samples,)` in [-1, 1], and the state | what can be written, and the next state |
    | `stream_end` | the same, the last samples | the same |

    What is written is what `StreamingDecoder.step` returns.
    """
    try:
        require_streaming(model)
    except UserError:
        return {}
    functions = streaming(model, decoding)
    return {"stream_start": functions.start, "stream": functions.step, "stream_end": functions.end}


def streaming(model, decoding):
    """The `Streaming` of a `ListenAttendSpell`.

    Args:
        model: see `require_streaming`.
        decoding: a `DecodingConfig`; only its limit of length counts.

    Raises:
        UserError: the model needs what is heard later.
    """
    decoder = StreamingDecoder(model, decoding.max_length_ratio)
    example = decoder.initial_state()
    names = ["_".join(("state", *map(str, path))) for path, _ in keras.tree.flatten_with_path(example)]

    def flat(state):
        return dict(zip(names, keras.tree.flatten(state), strict=True))

    def step(samples, last, state):
        state = keras.tree.pack_sequence_as(example, [state[name] for name in names])
        written, state = decoder.step(samples, state, last)
        return written | flat(state)

    specs = {name: tf.TensorSpec(value.shape, value.dtype, name) for name, value in flat(example).items()}
    # Of these there are as many as there are.
    specs |= {name: tf.TensorSpec([None], "float32", name) for name in ("samples", "state_samples")}
    start = tf.function(lambda: flat(decoder.initial_state()), [], autograph=False)
    step_on = tf.function(lambda samples, **state: step(samples, False, state), autograph=False)
    end = tf.function(lambda samples, **state: step(samples, True, state), autograph=False)
    return Streaming(
        start.get_concrete_function(),
        step_on.get_concrete_function(**specs),
        end.get_concrete_function(**specs),
        model.features_config.sample_rate,
    )
