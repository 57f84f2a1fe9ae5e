"""The one door through which training and evaluation get speech.

A corpus has a `name`, a `sample_rate` in Hz, its `splits` (`"train"`, `"validation"`, `"test"`), `size(split)`, the
number of utterances, and `utterances(split, seed=0, epoch=0)`, a `tf.data.Dataset` in a fixed order with elements

    {"id": string (), "audio": int16 (samples,), "text": string (), "speaker": string (),
     "words": {"text": string (n,), "start": float32 (n,), "end": float32 (n,)}}

with times in seconds. `epoch` is an integer or a scalar integer tensor, so that a pipeline can ask for the utterances
of an epoch inside `tf.data.Dataset.flat_map`; a corpus whose utterances are the same in every epoch ignores it.
"""

import dataclasses
import inspect
import re

from .datasets.fixed_corpus import of_builder
from .datasets.manifest.corpus import ManifestOptions, open_manifest
from .datasets.mixture import Mixture
from .datasets.tfds_corpus import TfdsOptions, open_tfds
from .errors import UserError


def get(name, data_dir=None, **options):
    """A corpus by its name.

    Args:
        name: `"synthetic_speech/commands"`, or with `digits`, `numbers` or `names` for the commands;
            `"spoken_digit"`, which has the option `test_speaker`; `"kokoro_digits"`, digits of neural voices;
            `"manifest:FILE.tsv"`, own recordings, with the options of `ManifestOptions`; or `"tfds:NAME"`, any dataset
            of TFDS, with those of `TfdsOptions`. With a `+` and another name after it, what is in that one is trained
            on, too; options are those of the first.
        data_dir: where TFDS keeps its datasets. None: where TFDS usually does.
        **options: of that corpus.

    Raises:
        UserError: the name or an option is unknown, or the dataset can be neither downloaded nor built.

    Example:
        >>> corpus = get("synthetic_speech/commands")  # doctest: +SKIP
        >>> corpus.size("test")  # doctest: +SKIP
        300
    """
    name, *others = parts(name)
    known = options_of(name)
    if unknown := sorted(set(options) - set(known)):
        raise UserError(f"Expected options of {name}: {', '.join(known) or 'none'}. Received: {', '.join(unknown)}")
    if name in _CORPORA:
        corpus = _CORPORA[name](name, data_dir, **options)
    else:
        opener, kind = _family(name)
        corpus = opener(name, data_dir, kind(**options))
    return Mixture([corpus, *(get(other, data_dir) for other in others)]) if others else corpus


def check_split(corpus, split):
    """Refuse a split that a corpus does not have."""
    if split not in corpus.splits:
        raise UserError(f"Expected a split of {corpus.name}: {', '.join(corpus.splits)}. Received: split={split!r}")


def parts(name):
    """The names of the corpora in the name of a mixture, a list.

    >>> parts("spoken_digit+synthetic_speech/digits"), parts("manifest:a+b.tsv")
    (['spoken_digit', 'synthetic_speech/digits'], ['manifest:a+b.tsv'])
    """
    return re.split(rf"\+(?={'|'.join(re.escape(known) for known in (*_CORPORA, 'manifest:', 'tfds:'))})", name)


def options_of(name):
    """The names of the options of a corpus, a list.

    >>> options_of("spoken_digit")
    ['test_speaker']
    """
    name = parts(name)[0]
    if name in _CORPORA:
        signature = inspect.signature(_CORPORA[name])
        return [option for option in signature.parameters if option not in ("name", "data_dir")]
    return [field.name for field in dataclasses.fields(_family(name)[1])]


def _family(name):
    """How to open a corpus that has no name of its own, and the class of its options."""
    for pattern, family in _FAMILIES.items():
        if name.startswith(pattern.partition(":")[0] + ":"):
            return family
    raise UserError(f"Expected a dataset of {', '.join([*_CORPORA, *_FAMILIES])}. Received: name={name!r}")


def _synthetic_speech(name, data_dir=None):
    from .datasets.prepare import prepare
    from .datasets.synthetic_speech.synthetic_speech_dataset_builder import Builder

    builder = Builder(config=name.partition("/")[2], data_dir=data_dir)
    prepare(builder)
    return of_builder(name, builder, builder.info.features["audio"].sample_rate, _with_speaker)


def _with_speaker(example):
    return {"speaker": example["voice"], **{key: example[key] for key in ("id", "audio", "text", "words")}}


def _spoken_digit(name, data_dir=None, test_speaker=None):
    from .datasets.spoken_digit import load_clips, strings

    return strings(name, load_clips(data_dir), test_speaker)


def _kokoro_digits(name, data_dir=None):
    from .datasets.kokoro_digits.corpus import strings

    return strings(name)


# Datasets, each with one name.
_CORPORA = {
    **{f"synthetic_speech/{config}": _synthetic_speech for config in ("commands", "digits", "numbers", "names")},
    "spoken_digit": _spoken_digit,
    "kokoro_digits": _kokoro_digits,
}
# Datasets that are named by the user.
_FAMILIES = {"manifest:FILE.tsv": (open_manifest, ManifestOptions), "tfds:NAME": (open_tfds, TfdsOptions)}
