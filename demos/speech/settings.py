"""The settings of a run from what the command line says."""

import dataclasses
import json
from pathlib import Path

from demos.speech.config import Config, DataConfig
from demos.speech.decoding import DecodingConfig
from demos.speech.errors import UserError
from demos.speech.files import read_lines
from demos.speech.presets import PRESETS

_RECIPES = Path(__file__).with_name("recipes")

# Options of `train`, and the settings that they are short for.
_SHORT = {
    "dataset": "dataset",
    "test_speaker": "test_speaker",
    "tokens": "tokens",
    "vocabulary": "vocabulary",
    "sample_rate": "features.sample_rate",
    **{field.name: f"data.{field.name}" for field in dataclasses.fields(DataConfig)},
    "seed": "training.seed",
    "epochs": "training.epochs",
    "batch_size": "training.batch_size",
    "learning_rate": "training.learning_rate",
}


def settings(arguments, start=None):
    """The `Config` of the arguments of `train`: of the file, changed by the preset, the options, and `--set`.

    Args:
        arguments: as the parser returns them.
        start: a `Config` to change where no file is given; that which suits the dataset when None.

    Raises:
        UserError: the file cannot be read, or a setting makes no sense.
    """
    given = {name: getattr(arguments, name) for name in _SHORT if getattr(arguments, name) is not None}
    if "dataset" in given:
        given["dataset"] = _wherever(given["dataset"])
    suited = start or (Config.of_dataset(given["dataset"]) if "dataset" in given else Config())
    config = Config.load(config_file(arguments.config)) if arguments.config else suited
    if arguments.preset:
        config = config.replace(**PRESETS[arguments.preset])
    for name, value in given.items():
        config = config.replace(**nested(_SHORT[name], value))
    for text in arguments.settings:
        config = config.replace(**override(text))
    return config


def config_file(name):
    """The file of a configuration: the one of that name, or else the recipe of that name.

    >>> config_file("yes_no").name
    'yes_no.json'
    """
    recipes = {path.stem: path for path in sorted(_RECIPES.glob("*.json"))}
    if Path(name).exists() or Path(name).suffix:
        return Path(name)
    if str(name) not in recipes:
        raise UserError(f"Expected a file or a recipe: {', '.join(recipes)}. Received: config={str(name)!r}")
    return recipes[str(name)]


def run_folder(dataset):
    """The folder for the run on a dataset, if no other is chosen.

    >>> [str(run_folder(name)) for name in ("spoken_digit", "synthetic_speech/digits", "manifest:my/recordings.tsv")]
    ['runs/spoken_digit', 'runs/synthetic_speech-digits', 'runs/recordings']
    """
    family, colon, rest = dataset.partition(":")
    name = Path(rest).stem if family == "manifest" else rest if colon else dataset
    return Path("runs", name.replace("/", "-"))


def _wherever(dataset):
    """The name of a dataset that means the same in every folder."""
    family, colon, path = dataset.partition(":")
    return f"{family}:{Path(path).absolute()}" if family == "manifest" and colon else dataset


def decoding(arguments):
    """The settings of the search that the arguments of a command give, a dict."""
    return given(arguments, DecodingConfig)


def given(arguments, kind):
    """The settings of the dataclass `kind` that the arguments of a command give, a dict."""
    values = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(kind)}
    return {name: value for name, value in values.items() if value is not None}


def phrases(arguments):
    """The phrases to favour: the lines of the file that the arguments of a command name.

    Raises:
        UserError: it cannot be read or is empty.
    """
    if arguments.phrases is None:
        return ()
    found = read_lines(arguments.phrases)
    if not found:
        raise UserError(f"Expected a phrase a line. Received: {arguments.phrases}, which has none")
    return found


def override(text):
    """What `Config.replace` takes, from `NAME=VALUE`; the value is JSON, or a plain string.

    >>> override("listener.units=256"), override("augmentation.speed=[0.8, 1.2]"), override("speller.scorer=additive")
    ({'listener': {'units': 256}}, {'augmentation': {'speed': [0.8, 1.2]}}, {'speller': {'scorer': 'additive'}})
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UserError(f"Expected --set NAME=VALUE. Received: {text!r}")
    try:
        return nested(name, json.loads(value))
    except ValueError:
        return nested(name, value)


def nested(name, value):
    """A dict in a dict for every dot of a name.

    >>> nested("a.b", 1)
    {'a': {'b': 1}}
    """
    for part in reversed(name.split(".")):
        value = {part: value}
    return value


def check_resume(arguments, run):
    """Raise UserError if the arguments of `train` ask for other settings than those of the run to resume."""
    path = run / "config.json"
    if not path.exists():
        return
    own = Config.load(path)
    asked, own = _flat(settings(arguments, own).to_dict()), _flat(own.to_dict())
    # What a file leaves open was settled when the run began.
    others = [
        f"{name}={asked.get(name)!r} (the run has {own[name]!r})"
        for name in own
        if asked.get(name) not in (own[name], None)
    ]
    if others:
        raise UserError(f"--resume goes on with the settings of the run. Received: {', '.join(others)}")


def _flat(values, prefix=""):
    """Nested settings as one dict, with dots in the names."""
    flat = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
