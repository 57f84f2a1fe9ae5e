"""The one door through which training and evaluation get speech.

A corpus has a `name`, a `sample_rate` in Hz, its `splits` (`"train"`, `"validation"`, `"test"`), `size(split)`, the
number of utterances, and `utterances(split, seed=0, epoch=0)`, a `tf.data.Dataset` in a fixed order with elements

    {"id": string (), "audio": int16 (samples,), "text": string (), "speaker": string (),
     "words": {"text": string (n,), "start": float32 (n,), "end": float32 (n,)}}

with times in seconds. `epoch` is an integer or a scalar integer tensor, so that a pipeline can ask for the utterances
of an epoch inside `tf.data.Dataset.flat_map`; a corpus whose utterances are the same in every epoch ignores it.
"""

import inspect

from .errors import UserError

SPLITS = ("train", "validation", "test")


def get(name, data_dir=None, **options):
    """A corpus by its name.

    Args:
        name: `"synthetic_speech/commands"`, `"synthetic_speech/digits"`, `"synthetic_speech/numbers"`, or
            `"spoken_digit"`, which has the option `test_speaker`.
        data_dir: where TFDS keeps its datasets. None: where TFDS usually does.
        **options: of that corpus.

    Raises:
        UserError: the name or an option is unknown, or the dataset can be neither downloaded nor built.

    Example:
        >>> corpus = get("synthetic_speech/commands")  # doctest: +SKIP
        >>> corpus.size("test")  # doctest: +SKIP
        300
    """
    if name not in _CORPORA:
        raise UserError(f"Expected a dataset of {', '.join(_CORPORA)}. Received: name={name!r}")
    known = [option for option in inspect.signature(_CORPORA[name]).parameters if option not in ("name", "data_dir")]
    if unknown := sorted(set(options) - set(known)):
        raise UserError(f"Expected options of {name}: {', '.join(known) or 'none'}. Received: {', '.join(unknown)}")
    return _CORPORA[name](name, data_dir, **options)


class SyntheticSpeech:
    """A configuration of the TFDS dataset `synthetic_speech`."""

    splits = SPLITS

    def __init__(self, name, data_dir=None):
        import tensorflow_datasets as tfds

        from .datasets.prepare import prepare
        from .datasets.synthetic_speech.synthetic_speech_dataset_builder import Builder

        self.name = name
        builder = Builder(config=name.partition("/")[2], data_dir=data_dir)
        prepare(builder)
        self.sample_rate = builder.info.features["audio"].sample_rate
        self._sizes = {split: builder.info.splits[split].num_examples for split in SPLITS}
        config = tfds.ReadConfig(try_autocache=False)
        # Made here, outside any graph: `utterances` may be called inside one.
        self._datasets = {
            split: builder.as_dataset(split=split, read_config=config).map(_with_speaker) for split in SPLITS
        }

    def size(self, split):
        """The number of utterances in a split."""
        return self._sizes[split]

    def utterances(self, split, seed=0, epoch=0):
        """The utterances of a split, the same in every epoch."""
        del seed, epoch
        return self._datasets[split]


def _with_speaker(example):
    return {"speaker": example["voice"], **{key: example[key] for key in ("id", "audio", "text", "words")}}


def _spoken_digit(name, data_dir=None, test_speaker=None):
    from .datasets import spoken_digit_strings

    return spoken_digit_strings.Strings(spoken_digit_strings.load_clips(data_dir), test_speaker, name)


_CORPORA = {
    **{f"synthetic_speech/{config}": SyntheticSpeech for config in ("commands", "digits", "numbers")},
    "spoken_digit": _spoken_digit,
}
