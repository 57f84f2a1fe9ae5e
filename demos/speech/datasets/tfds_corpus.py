"""Speech from any TFDS dataset that has audio, and text or labels."""

import dataclasses
import functools
import sys

import tensorflow as tf

from ..errors import UserError
from ..spelling import spell
from .fixed_corpus import FixedCorpus
from .prepare import prepare
from .tfds_features import find_features, to_samples, to_text
from .tfds_splits import choose_splits

_SPEAKERS = ("speaker_id", "speaker")


@dataclasses.dataclass(frozen=True)
class TfdsOptions:
    """What to take of a TFDS dataset.

    Attributes:
        sample_rate: Hz, of the corpus; that of the dataset when None.
        max_seconds: longer utterances are left out; none when None.
        lowercase, keep_punctuation: see `spell`.
        audio_feature, text_feature: names; see `find_features`.
        train_split, validation_split, test_split: see `choose_splits`.
    """

    sample_rate: int | None = None
    max_seconds: float | None = None
    lowercase: bool = False
    keep_punctuation: bool = False
    audio_feature: str | None = None
    text_feature: str | None = None
    train_split: str | None = None
    validation_split: str | None = None
    test_split: str | None = None


def open_tfds(name, data_dir=None, options=TfdsOptions()):
    """The corpus of a TFDS dataset, which is downloaded and built on first use.

    Args:
        name: `"tfds:NAME"` or `"tfds:NAME/CONFIG"`.
        data_dir: where TFDS keeps its datasets.
        options: a `TfdsOptions`.

    Returns:
        A `FixedCorpus`.

    Raises:
        UserError: there is no such dataset, or it can be neither downloaded nor built; features or splits are missing.
    """
    builder = _builder(name.partition(":")[2], data_dir)
    features = builder.info.features
    audio, text = find_features(features, builder.info.supervised_keys, options.audio_feature, options.text_feature)
    rate = features[audio].sample_rate or options.sample_rate
    if rate is None:
        raise UserError(f"Expected --sample-rate, as {name} does not tell the rate of {audio!r}. Received: none")
    prepare(builder)
    splits = choose_splits(list(builder.info.splits), options.train_split, options.validation_split, options.test_split)
    new_rate = options.sample_rate or rate

    def utterance(split, index, example):
        return {
            "id": tf.strings.join([split, tf.strings.as_string(index, width=5, fill="0")], "-"),
            "audio": to_samples(example[audio], rate, new_rate),
            "text": _spelled(to_text(features[text], example[text]), options),
            "speaker": _speaker(example),
            "words": {"text": tf.zeros([0], "string"), "start": tf.zeros([0]), "end": tf.zeros([0])},
        }

    datasets, sizes = {}, {}
    for split, spec in splits.items():
        examples, sizes[split] = _examples(builder, spec, audio, options.max_seconds and options.max_seconds * rate)
        datasets[split] = examples.enumerate().map(functools.partial(utterance, split))
    _report(name, builder, splits, sizes, options.max_seconds)
    return FixedCorpus(name, new_rate, datasets, sizes)


def _builder(name, data_dir):
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir)
    except (ValueError, ModuleNotFoundError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"Expected tfds:NAME or tfds:NAME/CONFIG, a dataset of TFDS. {reason}") from None


def _examples(builder, spec, audio, longest):
    """The examples of a part of a dataset with at most so many samples, and their number."""
    import tensorflow_datasets as tfds

    config = tfds.ReadConfig(try_autocache=False)
    try:
        size = builder.info.splits[spec].num_examples
        examples = builder.as_dataset(split=spec, read_config=config)
    except (ValueError, KeyError) as error:
        known = ", ".join(f"{name} ({split.num_examples})" for name, split in builder.info.splits.items())
        reason = str(error).splitlines()[0]
        raise UserError(f"Expected a part of the splits {known}. Received: {spec!r}: {reason}") from None
    if longest:
        examples = examples.filter(lambda example: tf.shape(example[audio])[0] <= int(longest))
        size = int(examples.reduce(0, lambda count, _: count + 1))
    return examples, size


def _spelled(text, options):
    def spell_bytes(one):
        return spell(one.decode(errors="replace"), options.lowercase, options.keep_punctuation).encode()

    spelled = tf.numpy_function(spell_bytes, [text], "string", stateful=False)
    return tf.ensure_shape(spelled, [])


def _speaker(example):
    speaker = next((example[name] for name in _SPEAKERS if name in example), tf.constant(""))
    return speaker if speaker.dtype == tf.string else tf.strings.as_string(speaker)


def _report(name, builder, splits, sizes, max_seconds):
    if empty := [f"{split} ({splits[split]})" for split, size in sizes.items() if not size]:
        raise UserError(f"Expected utterances in each part of {name}. Received: none for {', '.join(empty)}")
    total = sum(builder.info.splits[spec].num_examples for spec in splits.values())
    if left_out := total - sum(sizes.values()):
        print(f"{name}: left out {left_out} of {total} utterances, longer than {max_seconds:g} s", file=sys.stderr)
