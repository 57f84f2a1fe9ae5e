"""Recognition while a recording goes on: the same as afterwards, in memory that does not grow."""

import contextlib
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from demos.speech import streaming as streaming_module
from demos.speech.decoding import DecodingConfig
from demos.speech.errors import UserError
from demos.speech.model import ListenAttendSpell
from demos.speech.presets import PRESETS
from demos.speech.recognition import transcriber
from demos.speech.streaming import HELD_SECONDS, require_streaming
from demos.speech.streaming_export import streaming, streaming_signatures
from demos.speech.streaming_session import open_streaming
from demos.speech.text import Vocabulary
from tests.demos.speech import small_model

RATE = small_model.RATE
GREEDY = DecodingConfig(beam_width=1, ctc_weight=0.0)
CHUNKED, ALONE = (
    {"class_name": f"keras_attn>{name}", "config": {"mode": "auto", "bias": -2.0, **options}}
    for name, options in (("MoChA", {"chunk_size": 3}), ("Monotonic", {}))
)


ALL_BEFORE = {"class_name": "keras_attn>MoChA", "config": {"mode": "hard", "chunk_size": None}}


def make(alignment, seed):
    """A model with random weights, which never writes the end.

    With the seeds that are used here the attention stops at many places, and sometimes at none.
    """
    keras.utils.set_random_seed(1)
    model = ListenAttendSpell(
        Vocabulary(" abcdefghijklm"),
        {"sample_rate": RATE, "bands": 16, "subtract_mean": False},
        {"units": 8, "bidirectional": False},
        {"embedding": 6, "units": 12, "scorer": "general", "alignment": alignment},
    )
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(0, 2, w.shape) if w.ndim > 1 else w for w in model.get_weights()])
    model.speller.classify.bias.assign(-100.0 * is_end(model))
    model.normalization.mean.assign(np.full(16, -8.0))
    return model


def is_end(model):
    return np.arange(len(model.vocabulary)) == model.vocabulary.end


@contextlib.contextmanager
def assigned(variable, value):
    """Another value of a variable for a while."""
    before = variable.numpy()
    variable.assign(value)
    yield
    variable.assign(before)


@pytest.fixture(scope="module")
def model():
    return make(CHUNKED, 12)


@pytest.fixture(scope="module")
def whole(model):
    return transcriber(model, GREEDY)


@pytest.fixture(scope="module")
def stream(model):
    return streaming(model, GREEDY)


def written(stream, sound, sizes):
    """All that is written of a sound that comes in chunks of these sizes, and what of it before the end."""
    edges = [*np.minimum(np.cumsum(sizes), len(sound)), len(sound)]
    parts = list(stream(sound[start:end] for start, end in zip([0, *edges[:-1]], edges, strict=True)))
    whole = {name: np.concatenate([np.atleast_1d(part[name]) for part in parts]) for name in parts[0]}
    return whole | {"text": b"".join(whole["text"])}, sum(len(part["tokens"]) for part in parts[:-1])


@pytest.mark.parametrize(("seconds", "size"), [(2.0, 16000), (2.0, 333), (0.3, 800), (0.02, 100), (1 / RATE, 1)])
def test_what_comes_in_chunks_is_recognised_as_the_whole(whole, stream, seconds, size):
    assert_equal(whole, stream, seconds, size)


def test_plain_monotonic_attention_does_so_too():
    model = make(ALONE, 12)
    assert_equal(transcriber(model, GREEDY), streaming(model, GREEDY), 2.0, 800)


def assert_equal(whole, stream, seconds, size):
    sound = small_model.sound(seconds + 0.05)[: round(seconds * RATE)]
    expected = whole(sound[None], np.array([len(sound)], "int32"))
    result, early = written(stream, sound, [size] * (len(sound) // size))
    steps = int(expected["num_tokens"][0])
    assert result["text"] == expected["text"][0].numpy()
    np.testing.assert_array_equal(result["tokens"], expected["tokens"][0, :steps])
    assert steps > 0
    # Where the attention stops, its weight is the last one that is not 0.
    alignment = np.asarray(expected["alignment"])[0, :steps]
    stops = alignment.shape[1] - 1 - np.argmax(alignment[:, ::-1] > 0, axis=1)
    found = alignment.any(axis=1)
    np.testing.assert_allclose(result["token_times"][found], expected["frame_times"].numpy()[stops[found]], atol=1e-5)
    if seconds == 2.0:
        assert early > 5 and len(set(stops[found])) > 3


def test_a_token_is_written_as_soon_as_its_frame_is_heard(model, stream):
    sound = small_model.sound(2.0)
    size = round(model.frame_grid["frame_duration"] * RATE)
    parts = list(stream(sound[i : i + size] for i in range(0, len(sound), size)))[:-1]
    heard = np.repeat(np.arange(1, len(parts) + 1) * size / RATE, [len(part["tokens"]) for part in parts])
    times = np.concatenate([part["token_times"] for part in parts])
    # The middle of a frame, its second half, what its last window needs beyond that, and what the chunk has more.
    most = 1.5 * model.frame_grid["frame_duration"] + model.log_mel.window
    assert len(times) > 5 and np.all(heard > times)
    waits = np.diff(np.maximum.accumulate(heard), prepend=0) > 0
    assert np.all(heard[waits] - times[waits] <= most + 1e-6)


def test_the_state_does_not_grow(stream):
    sound = small_model.sound(3.0)
    state, sizes = stream.start(), []
    for _ in range(8):
        written = stream.step(samples=tf.constant(sound), **state)
        state = {name: written[name] for name in state}
        sizes.append(sum(tf.size(value).numpy() for value in state.values()))
    assert max(sizes) - min(sizes) < 0.1 * RATE
    assert max(sizes) < 3000 + 8 * stream.start()["state_frames"].shape[1]


def test_what_is_older_than_what_is_held_is_forgotten(model, stream):
    bias = model.speller.rnn.cell.attentions[0].alignment.score_bias
    sound = small_model.sound(HELD_SECONDS + 2.0)
    with assigned(bias, -1000.0):  # the attention never stops, until the end
        result, early = written(stream, sound, [16000] * 5)
    assert early == 0 and len(result["tokens"]) > 0
    assert np.all(result["token_times"] > 1.9)


def test_nothing_is_written_after_the_end(model, stream):
    with assigned(model.speller.classify.bias, 100.0 * is_end(model)):
        parts = list(stream([small_model.sound(1.0)] * 2))
    assert all(bool(part["ended"]) and part["text"].numpy() == b"" and not len(part["tokens"]) for part in parts)


def test_no_samples_at_all(stream):
    result, _ = written(stream, np.zeros(0, "float32"), [0])
    assert result["text"] == b"" and len(result["tokens"]) == 0


def test_a_saved_model_does_the_same_and_needs_only_its_signatures(model, stream, tmp_path):
    module = tf.Module()
    module.parameters = [variable.value for variable in model.variables]
    module.sample_rate = tf.Variable(RATE)
    signatures = streaming_signatures(model, GREEDY)
    # What makes it one of ours.
    signatures["serving_default"] = signatures["stream_start"]
    tf.saved_model.save(module, tmp_path, signatures)
    sound = small_model.sound(1.0)
    loaded = open_streaming(tmp_path)
    assert loaded.sample_rate == RATE
    assert written(loaded, sound, [700] * 12)[0]["text"] == written(stream, sound, [len(sound)])[0]["text"] != b""


def test_a_saved_model_that_does_not_stream(tmp_path):
    module = tf.Module()
    module.sample_rate = tf.Variable(RATE)
    nothing = tf.function(lambda: {"text": tf.constant("")}, []).get_concrete_function()
    tf.saved_model.save(module, tmp_path, {"serving_default": nothing})
    with pytest.raises(UserError, match="Expected a model that hears as it goes, .* Received: model="):
        open_streaming(tmp_path)


def test_pieces_of_words_are_put_together_with_spaces():
    pieces = types.SimpleNamespace(
        word_starts=[False, False, True, False], separators=[False] * 4, word_parts=["", "", "go", "ing"]
    )
    assert streaming_module._text(tf.constant([2, 3, 2]), pieces).numpy() == b" going go"
    assert streaming_module._text(tf.zeros(0, "int32"), pieces).numpy() == b""


@pytest.mark.parametrize(
    ("changes", "received"),
    [
        ({"features": {"subtract_mean": True}}, "features.subtract_mean=True"),
        ({"features": {"delta_window": 2}}, "features.delta_window=2"),
        ({"listener": {"bidirectional": True}}, "listener.bidirectional=True"),
        ({"listener": {"convolutions": 1}}, "listener.convolutions=1"),
        ({"speller": {"scorer": "location_aware"}}, "speller.scorer=LocationAware"),
        ({"speller": {"alignment": "softmax"}}, "speller.alignment=Softmax"),
        ({"speller": {"alignment": "monotonic"}}, "mode=parallel"),
        (
            {
                "speller": {
                    "alignment": {"class_name": "keras_attn>MoChA", "config": {"mode": "hard", "chunk_size": None}}
                }
            },
            "chunk_",
        ),
    ],
)
def test_what_needs_the_future_is_refused(changes, received):
    config = {name: dict(PRESETS["streaming"][name]) for name in ("features", "listener", "speller")}
    for name, values in changes.items():
        config[name] |= values
    small = {"features": {"sample_rate": RATE, "bands": 16}, "listener": {"units": 4}, "speller": {"units": 4}}
    parts = {name: {**config[name], **small[name]} for name in config}
    model = ListenAttendSpell(Vocabulary(" ab"), **parts)
    with pytest.raises(UserError) as error:
        require_streaming(model)
    assert "as of train --preset streaming. Received: " + received in str(error.value)
    assert streaming_signatures(model, GREEDY) == {}
