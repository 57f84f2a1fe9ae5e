"""Which features of a TFDS dataset are the audio and the text, and what they become."""

import tensorflow as tf

from ..errors import UserError
from ..resampling import resample


def find_features(features, supervised_keys=None, audio=None, text=None):
    """The names of the audio and of the text of a dataset.

    A feature that is not named is the one of `supervised_keys`, or else the only one of its kind: for text, the only
    `Text`, or else the only sequence of labels, or else the only `ClassLabel`.

    Args:
        features: the `tfds.features.FeaturesDict` of the dataset.
        supervised_keys: as of `tfds.core.DatasetInfo`.
        audio, text: names that are known already.

    Returns:
        The names of the audio and of the text.

    Raises:
        UserError: there is no such feature, or more than one and none is named.
    """
    import tensorflow_datasets as tfds

    kinds = {name: _kind(feature, tfds.features) for name, feature in features.items()}
    pair = [key for key in supervised_keys or () if isinstance(key, str)]
    return (
        _find(kinds, pair, "audio", ["audio"], audio),
        _find(kinds, pair, "text", ["text", "labels", "label", "string"], text),
    )


def _kind(feature, kinds):
    """What a feature can be taken for, None for nothing."""
    if isinstance(feature, kinds.Audio):
        return "audio"
    if isinstance(feature, kinds.ClassLabel):
        return "label"
    if isinstance(feature, kinds.Sequence):
        return "labels" if _kind(feature.feature, kinds) in ("label", "text") else None
    if isinstance(feature, kinds.Text):
        return "text"
    return "string" if not isinstance(feature, dict) and feature.shape == () and feature.tf_dtype == tf.string else None


def _find(kinds, pair, what, wanted, name):
    option = f"--{what}-feature"
    known = ", ".join(f"{one} ({kind})" for one, kind in kinds.items() if kind in wanted) or "none"
    if name is not None:
        if kinds.get(name) not in wanted:
            raise UserError(f"Expected {option} among: {known}. Received: {name!r}")
        return name
    # A string may be anything, so it has to be named.
    usual = [kind for kind in wanted if kind != "string"]
    groups = [[one for one in pair if kinds.get(one) in usual]]
    groups += [[one for one, kind in kinds.items() if kind == wanted_kind] for wanted_kind in usual]
    group = next(filter(None, groups), [])
    if len(group) != 1:
        raise UserError(f"Expected one feature of {what}; name it with {option}. Received: {known}")
    return group[0]


def to_text(feature, value):
    """The text that a feature says, a scalar string: labels are words, and those of a sequence have spaces between.

    Args:
        feature: a `tfds.features.FeatureConnector`.
        value: the tensor of it.
    """
    inner = getattr(feature, "feature", feature)
    if hasattr(inner, "int2str"):
        names = [inner.int2str(number).replace("_", " ") for number in range(inner.num_classes)]
        value = tf.gather(tf.constant(names), value)
    return tf.strings.reduce_join(value, separator=" ")


def to_samples(audio, rate, new_rate):
    """The int16 samples `(samples,)` of an audio feature, at another rate.

    Args:
        audio: `(samples,)` or `(samples, channels)`, which are averaged; integers of 16 bits, or floats in [-1, 1].
        rate, new_rate: Hz.

    >>> to_samples([[0, 2], [4, 4]], 8000, 8000).numpy()
    array([1, 4], dtype=int16)
    """
    audio = tf.convert_to_tensor(audio)
    floats = tf.cast(audio, "float32") / (1.0 if audio.dtype.is_floating else 32768.0)
    floats = tf.reduce_mean(floats, axis=-1) if floats.shape.rank == 2 else floats
    return tf.saturate_cast(tf.round(32768 * resample(floats, rate, new_rate)), "int16")
