"""The listener: padding changes nothing, time shrinks as said, and so does the mask."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from demos.speech.listener import Listener, join_frames

LENGTHS = np.array([37, 36, 5, 1, 0])


@pytest.fixture
def batch():
    mask = np.arange(37) < LENGTHS[:, None]
    features = np.random.default_rng(0).normal(size=(len(LENGTHS), 37, 6)).astype("float32")
    return np.where(mask[..., None], features, 0), mask


def test_joined_frames_stand_side_by_side():
    frames, mask = join_frames(np.arange(1.0, 15).reshape(1, 7, 2), np.arange(7)[None] < 5, 3)
    expected = [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], [13, 14, 0, 0, 0, 0]]
    np.testing.assert_array_equal(frames[0], expected)
    np.testing.assert_array_equal(mask, [[True, True, False]])


@pytest.mark.parametrize(("stack", "levels"), [(1, 1), (2, 2), (3, 3)])
def test_time_shrinks_at_each_level(batch, stack, levels):
    encoded, mask = Listener(stack, levels, units=4)(*batch)
    frames = [math.ceil(length / stack) for length in LENGTHS]
    for _ in range(levels - 1):
        frames = [math.ceil(length / 2) for length in frames]
    assert encoded.shape == (len(LENGTHS), max(frames), 8)
    np.testing.assert_array_equal(mask, np.arange(max(frames)) < np.array(frames)[:, None])
    assert np.all(np.any(encoded, axis=-1) == mask)


def test_convolutions_shrink_time_and_levels_need_not(batch):
    encoded, mask = Listener(stack=1, levels=3, units=4, convolutions=2, channels=5, join=1)(*batch)
    frames = np.array([math.ceil(math.ceil(length / 2) / 2) for length in LENGTHS])
    assert encoded.shape == (len(LENGTHS), max(frames), 8)
    np.testing.assert_array_equal(mask, np.arange(max(frames)) < frames[:, None])


@pytest.mark.parametrize(
    "shape",
    [
        {"stack": 2, "levels": 3},
        {"stack": 1, "levels": 2, "join": 1, "convolutions": 2, "channels": 3},
        {"stack": 2, "levels": 2, "join": 3, "convolutions": 1, "bidirectional": False},
    ],
)
def test_an_utterance_is_encoded_alike_alone_and_in_a_batch(batch, shape):
    features, mask = batch
    listener = Listener(**shape, units=4)
    # The convolutions have biases, which padding must not bring in.
    listener.build(features.shape)
    listener.set_weights([np.random.default_rng(1).normal(size=weight.shape) for weight in listener.get_weights()])
    encoded, encoded_mask = listener(features, mask)
    for i, length in enumerate(LENGTHS[:-1]):
        alone, alone_mask = listener(features[i : i + 1, :length], mask[i : i + 1, :length])
        assert np.all(alone_mask) and np.sum(encoded_mask[i]) == alone.shape[1]
        np.testing.assert_allclose(encoded[i, : alone.shape[1]], alone[0], atol=1e-6)
        np.testing.assert_array_equal(encoded[i, alone.shape[1] :], 0)


@pytest.mark.parametrize("options", [{}, {"convolutions": 1, "stack": 1, "join": 1}, {"bidirectional": False}])
@pytest.mark.parametrize("count", [1, 5])
def test_compiled_it_hears_the_same(batch, options, count):
    features, mask = (x[:count] for x in batch)
    listener = Listener(units=4, **options)
    expected = listener(features, mask, training=False)
    compiled = tf.function(lambda *heard: listener(*heard, training=False, jit_compile=True), jit_compile=True)
    for one, other in zip(compiled(features, mask), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_nothing_to_hear_gives_zeros_and_finite_gradients(batch):
    features, mask = (tf.constant(x) for x in batch)
    listener = Listener(units=4, dropout=0.5)
    with tf.GradientTape() as tape:
        tape.watch(features)
        encoded, _ = listener(features, mask, training=True)
        loss = tf.reduce_sum(encoded**2)
    gradients = tape.gradient(loss, [features, *listener.trainable_variables])
    np.testing.assert_array_equal(encoded[-1], 0)
    np.testing.assert_array_equal(gradients[0][-1], 0)
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


def test_dropout_in_training_only(batch):
    listener = Listener(units=16, dropout=0.5)
    zeros = [float(np.mean(listener(*batch, training=training)[0][0] == 0)) for training in (False, None, True)]
    assert zeros[:2] == [0, 0] and 0.3 < zeros[2] < 0.7


def test_in_one_direction_nothing_depends_on_what_comes_later(batch):
    features, mask = batch
    listener = Listener(stack=2, levels=2, units=4, bidirectional=False)
    whole, _ = listener(features, mask)
    later = np.where(np.arange(37)[:, None] < 20, features, 1 - features)
    heard = listener(later, mask)[0]
    np.testing.assert_array_equal(heard[:, :5], whole[:, :5])
    assert np.all(np.any(heard[0, 5:] != whole[0, 5:], axis=-1))


@pytest.mark.parametrize("parts", [(37,), (8, 16, 13), (16, 8, 8, 5)])
def test_parts_are_encoded_as_the_whole(batch, parts):
    features, mask = batch
    listener = Listener(stack=2, levels=3, units=4, bidirectional=False)
    whole, whole_mask = listener(features, mask)
    ends, state, encoded = np.cumsum(parts), listener.initial_state(len(LENGTHS)), []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        *one, state = listener.step(features[:, start:end], mask[:, start:end], state)
        encoded.append(one)
    frames, masks = (np.concatenate(one, axis=1) for one in zip(*encoded, strict=True))
    np.testing.assert_allclose(frames, whole, atol=1e-6)
    np.testing.assert_array_equal(masks, whole_mask)


@pytest.mark.parametrize("shape", [{}, {"bidirectional": False, "convolutions": 1}])
def test_what_needs_the_future_does_not_go_step_by_step(batch, shape):
    listener = Listener(units=4, **shape)
    with pytest.raises(ValueError, match="Expected a listener of one direction without convolutions. Received: bidi"):
        listener.step(*batch, listener.initial_state(len(LENGTHS)))


@pytest.mark.parametrize("convolutions", [0, 2])
def test_time_unknown_while_traced(batch, convolutions):
    listener = Listener(stack=3, levels=2, units=4, convolutions=convolutions)
    signature = (tf.TensorSpec((None, None, 6), "float32"), tf.TensorSpec((None, None), "bool"))
    for eager, graph in zip(listener(*batch), tf.function(listener, signature)(*batch), strict=True):
        np.testing.assert_allclose(np.asarray(eager, float), np.asarray(graph, float), atol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"use_cudnn": False}])
def test_the_configuration_makes_the_same_listener(batch, changes):
    listener = Listener(3, 3, 5, 0.1, convolutions=1, channels=2, join=1, bidirectional=False, name="ear")
    encoded, _ = listener(*batch)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(listener)))
    config["config"] |= changes
    other = keras.saving.deserialize_keras_object(config)
    other(*batch)
    other.set_weights(listener.get_weights())
    assert other.get_config() == listener.get_config() | changes
    np.testing.assert_array_equal(other(*batch)[0], encoded)
