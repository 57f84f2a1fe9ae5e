"""Opening what was trained or exported: a run folder, a `.keras` file, a SavedModel."""

import dataclasses
import functools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demos.speech.config import Config
from demos.speech.errors import UserError
from demos.speech.text import normalize

MODEL_FILE = "model.keras"


@dataclasses.dataclass(frozen=True)
class Recogniser:
    """What recognition needs, wherever it comes from.

    Attributes:
        transcribe: function of `waveform` `(batch, samples)` and `num_samples` `(batch,)`; see
            `Decoder` for the dict that it returns.
        sample_rate: Hz, of the waveforms.
        symbols: the printable name of every token.
        voice: `Voice` of all that is to be recognised, if `transcribe` takes voices.
    """

    transcribe: Callable
    sample_rate: int
    symbols: tuple[str, ...]
    voice: Any = None


def open_recogniser(path, decoding=None, phrases=()):
    """Open a SavedModel, a run folder or a `.keras` file.

    Args:
        path: of a SavedModel made by `export`, for which TensorFlow alone is loaded, or as for `open_model`.
        decoding: settings of the search that differ from those of the run, a dict; a SavedModel has its own.
        phrases: to favour, strings.

    Returns:
        A `Recogniser`.

    Raises:
        UserError: there is no model, or it cannot be read, or is not one of ours; or there are settings for a
            SavedModel.
    """
    path = Path(path)
    if path.is_dir() and not (path / MODEL_FILE).exists():
        if decoding:
            raise UserError(f"{path} is a SavedModel, made for one search. Received: {', '.join(decoding)} for another")
        return _open_saved_model(path, phrases)
    model, config = open_model(path), run_config(path).replace(decoding=decoding or {})
    return Recogniser(
        search_of(model, config.decoding, phrases), model.features_config.sample_rate, model.vocabulary.symbols
    )


def search_of(model, decoding, phrases=(), takes_voices=False):
    """A transcribing function: `transcriber` with the language models of its settings, and phrases to favour."""
    from demos.speech.recognition import transcriber

    models = language_models(decoding, model.vocabulary)
    takes = {"takes_phrases": bool(phrases), "takes_voices": takes_voices}
    return favouring(transcriber(ensemble(model, decoding), decoding, models, **takes), phrases)


def ensemble(model, decoding):
    """The recognisers that are asked together: a model, and those that its settings name.

    Raises:
        UserError: one cannot be opened, or writes other tokens, or hears other frames.
    """
    others = [open_model(path) for path in decoding.ensemble]
    for path, other in zip(decoding.ensemble, others, strict=True):
        for what, of in {"tokens": _tokens, "frames": _frames}.items():
            if of(other) != of(model):
                raise UserError(
                    f"Expected recognisers of the same {what} in an ensemble: {of(model)}. "
                    f"Received: {path}, with {of(other)}"
                )
    return [model, *others]


def _tokens(model):
    return model.vocabulary.symbols


def _frames(model):
    """What decides about the log-mel features, and how many of them are one frame of the listener."""
    features = dataclasses.asdict(model.features_config)
    shared = ("sample_rate", "bands", "window", "hop", "scale_to_peak", "floor")
    return {name: features[name] for name in shared} | {"reduction": model.listener_config.reduction}


def language_models(decoding, vocabulary):
    """Pairs of a language model and its weight, as `Decoder` takes them.

    Raises:
        UserError: there is no such file, or it cannot be read, or is of other tokens.
    """
    from demos.speech.language_model_files import open_language_model

    return [
        (open_language_model(path, vocabulary), decoding.language_model_weight) for path in decoding.language_models
    ]


def favouring(transcribe, phrases):
    """A transcribing function that takes phrases, given these; one that takes none, if there are none."""
    if not phrases:
        return transcribe
    import tensorflow as tf

    return functools.partial(transcribe, phrases=tf.constant([normalize(phrase) for phrase in phrases]))


def run_config(path):
    """The `Config` of a run folder, or of that in which a `.keras` file is; the defaults where it has none."""
    path = Path(path)
    path = (path if path.is_dir() else path.parent) / "config.json"
    return Config.load(path) if path.exists() else Config()


def open_model(path):
    """The `ListenAttendSpell` of a `.keras` file, or of a run folder.

    Raises:
        UserError: there is no such file, or it cannot be read, or holds another kind of model.
    """
    path = Path(path)
    path = path / MODEL_FILE if path.is_dir() else path
    if not path.exists():
        raise UserError(f"Expected a run folder or a .keras file. Received: model={str(path)!r}, which does not exist")
    from demos.speech.model import ListenAttendSpell

    return load_keras(path, ListenAttendSpell, "train")


def load_keras(path, kind, command):
    """What a `.keras` file holds, of the class `kind`, which a command writes.

    Raises:
        UserError: it cannot be read, or holds another kind of model.
    """
    expected = f"Expected a .keras file made by {command}. Received: model={str(path)!r}, which"
    if not zipfile.is_zipfile(path):
        raise UserError(f"{expected} is damaged or none")
    import keras

    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # a file that is damaged, or of another program, can make Keras raise anything
        what = f"Cannot load {path}, which should be a .keras file made by {command}"
        raise UserError(f"{what}: {_line(error)}") from error
    if not isinstance(model, kind):
        raise UserError(f"{expected} holds a {type(model).__name__}")
    return model


def load_saved_model(path):
    """A SavedModel made by `export`, as TensorFlow loads it.

    Raises:
        UserError: there is none, or it cannot be read, or is another one.
    """
    if not (path / "saved_model.pb").exists():
        raise UserError(
            f"Expected a SavedModel or a run folder. Received: model={str(path)!r}, which has neither saved_model.pb "
            f"nor {MODEL_FILE}"
        )
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(path)
    except Exception as error:  # as above
        raise UserError(f"Cannot load the SavedModel {path}: {_line(error)}") from error
    if "serving_default" not in loaded.signatures or not hasattr(loaded, "sample_rate"):
        raise UserError(f"Expected a SavedModel made by export. Received: model={str(path)!r}")
    return loaded


def _open_saved_model(path, phrases):
    loaded = load_saved_model(path)
    symbols = tuple(symbol.decode() for symbol in loaded.symbols.numpy())
    if phrases and "transcribe_phrases" not in loaded.signatures:
        raise UserError(f"The SavedModel {path} takes no phrases: its tokens are pieces of words; name a run folder")
    transcribe = loaded.signatures["transcribe_phrases" if phrases else "serving_default"]
    return Recogniser(favouring(transcribe, phrases), int(loaded.sample_rate), symbols)


def _line(error):
    """An exception in one line."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
