"""All settings of a run, as data: what `train` writes to `config.json` and `--config` takes back."""

import dataclasses
import json
import math
import re
import types
import typing

from demos.speech.augmentation import WaveformAugmentation
from demos.speech.data_options import TOKENS
from demos.speech.decoding import DecodingConfig
from demos.speech.errors import UserError

# Passes over the data, and steps, that training takes at least.
EPOCHS = 7
STEPS = 800


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What is taken of own recordings (see `ManifestOptions`) or of a TFDS dataset (`TfdsOptions`)."""

    max_seconds: float | None = None
    lowercase: bool = False
    keep_punctuation: bool = False
    skip_bad: bool = False
    word_times: str | None = None
    audio_feature: str | None = None
    text_feature: str | None = None
    train_split: str | None = None
    validation_split: str | None = None
    test_split: str | None = None


@dataclasses.dataclass(frozen=True)
class FeatureConfig:
    """Log-mel features; `window` and `hop` in seconds, `sample_rate` in Hz (None: that of the dataset).

    With `subtract_mean` each band has mean 0 over the loud frames of each utterance; with `scale_to_peak` it
    is made as loud as full scale allows, so that none is too quiet. `floor` is the power added before the logarithm
    (see `LogMel`): what is weaker is as silence. With a `delta_window`, frames, changes are heard (see `deltas`).
    """

    sample_rate: int | None = None
    bands: int = 40
    window: float = 0.025
    hop: float = 0.010
    subtract_mean: bool = True
    scale_to_peak: bool = False
    floor: float = 1e-5
    delta_window: int = 0


@dataclasses.dataclass(frozen=True)
class ListenerConfig:
    """The encoder, see `Listener`: what each of its frames stands for is `reduction` feature frames."""

    stack: int = 2
    levels: int = 2
    units: int = 128
    dropout: float = 0.2
    convolutions: int = 0
    channels: int = 32
    join: int = 2
    bidirectional: bool = True

    @property
    def reduction(self):
        return 2**self.convolutions * self.stack * self.join ** (self.levels - 1)


@dataclasses.dataclass(frozen=True)
class SpellerConfig:
    """The decoder. `scorer` and `alignment` are names or configurations of `keras_attn`; `levels` LSTMs write."""

    embedding: int = 64
    units: int = 256
    dropout: float = 0.2
    scorer: str | dict = "location_aware"
    alignment: str | dict = "softmax"
    levels: int = 1


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How to train. The learning rate rises for a share `warmup` of all steps, then falls to 0 along a cosine.

    `epochs` None: `EPOCHS`, and more where that is less than `STEPS` steps. `patience` None: half of the epochs.
    `guided_attention` is the weight of `keras_attn.losses.guided_attention_loss`, which leads to the diagonal.
    """

    epochs: int | None = None
    batch_size: int = 32
    learning_rate: float = 2e-3
    warmup: float = 0.05
    clip_norm: float = 5.0
    ctc_weight: float = 0.3
    label_smoothing: float = 0.1
    guided_attention: float = 0.0
    patience: int | None = None
    seed: int = 0

    def budget(self, steps_per_epoch):
        """The same with numbers for `epochs` and `patience`.

        >>> small = TrainingConfig().budget(steps_per_epoch=8)
        >>> small.epochs, small.patience
        (100, 50)
        """
        epochs = self.epochs or max(EPOCHS, math.ceil(STEPS / steps_per_epoch))
        return dataclasses.replace(self, epochs=epochs, patience=self.patience or math.ceil(epochs / 2))


@dataclasses.dataclass(frozen=True)
class SpecAugmentConfig:
    """Bands and frames stretched and stripes cut out of the features in training; the arguments of `SpecAugment`."""

    time_masks: int = 0
    time_share: float = 0.05
    frequency_masks: int = 1
    frequency_width: int = 6
    frequency_warp: float = 0.0
    time_warp: float = 0.0


@dataclasses.dataclass(frozen=True)
class Config:
    """Everything that, with the data, determines a run; `vocabulary` is the largest number of tokens of `"bpe"`.

    In training, the silence at either end of an utterance is drawn anew from `edge_silence`, seconds; None leaves it.
    Words whose times are known are cut short by up to `word_cut` seconds at either end, half of them at each.
    """

    dataset: str = "synthetic_speech/commands"
    test_speaker: str | None = None
    data: DataConfig = DataConfig()
    tokens: str = "characters"
    vocabulary: int = 500
    features: FeatureConfig = FeatureConfig()
    listener: ListenerConfig = ListenerConfig()
    speller: SpellerConfig = SpellerConfig()
    training: TrainingConfig = TrainingConfig()
    augmentation: WaveformAugmentation = WaveformAugmentation(snr_db=(20.0, 50.0))
    edge_silence: tuple[float, float] | None = (0.0, 0.4)
    word_cut: float = 0.0
    spec_augment: SpecAugmentConfig = SpecAugmentConfig()
    decoding: DecodingConfig = DecodingConfig()

    def __post_init__(self):
        if self.tokens not in TOKENS:
            raise UserError(f"Expected tokens among {', '.join(TOKENS)}. Received: tokens={self.tokens!r}")

    def to_dict(self):
        return dataclasses.asdict(self)

    @classmethod
    def of_dataset(cls, dataset):
        """The settings that suit a dataset: the defaults, changed by its recipe."""
        return cls().replace(dataset=dataset, **_RECIPES.get(re.split("[:+]", dataset)[0], {}))

    @classmethod
    def from_dict(cls, values):
        """The configuration of a nested dict; what it leaves out has its default, what it makes up is an error."""
        return _replace(cls(), values)

    def replace(self, **changes):
        """A copy with other values: `replace(training={"epochs": 3}, dataset="spoken_digit")`."""
        return _replace(self, changes)

    def save(self, path):
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n")

    @classmethod
    def load(cls, path):
        try:
            return cls.from_dict(json.loads(path.read_text()))
        except OSError as error:
            raise UserError(f"Cannot read the configuration {path}: {error.strerror}") from None
        except ValueError as error:
            raise UserError(f"{path} is not a configuration: {error}") from None


# What differs from the defaults, which suit the commands. An epoch of strings of digits is short, and new each time;
# each speaker of spoken_digit has another level, and noise of his own.
# Ten words of five voices can be told apart without attention to the right places: it is led there. So it is with own
# recordings, of which there are few.
_STRINGS_OF_DIGITS = {
    "features": {"scale_to_peak": True, "floor": 0.01},
    "listener": {"stack": 1, "convolutions": 2, "join": 1},
    "training": {"epochs": 30, "guided_attention": 10.0},
    "augmentation": {"speed": (0.93, 1.08), "snr_db": (10.0, 60.0)},
    "spec_augment": {"frequency_masks": 2, "frequency_warp": 0.03},
    "decoding": {"ctc_weight": 0.3},
}
_RECIPES = {
    "spoken_digit": _STRINGS_OF_DIGITS,
    "kokoro_digits": _STRINGS_OF_DIGITS,
    "manifest": {"training": {"guided_attention": 10.0}},
}

# Lowest and highest values.
_LIMITS = {
    **dict.fromkeys(("sample_rate", "bands", "stack", "levels", "units", "embedding"), (1, math.inf)),
    **dict.fromkeys(("channels", "join"), (1, math.inf)),
    "convolutions": (0, math.inf),
    **dict.fromkeys(("epochs", "batch_size", "patience"), (1, math.inf)),
    "guided_attention": (0, math.inf),
    **dict.fromkeys(("window", "hop", "floor", "learning_rate", "clip_norm"), (1e-9, math.inf)),
    **dict.fromkeys(("dropout", "warmup", "label_smoothing"), (0, 0.99)),
    **dict.fromkeys(("ctc_weight", "time_share", "frequency_warp"), (0, 1)),
    "time_warp": (0, 0.249),
    **dict.fromkeys(("time_masks", "frequency_masks", "frequency_width", "delta_window"), (0, math.inf)),
    "seed": (0, 2**32 - 1),
    "word_cut": (0, 1),
    "max_seconds": (0.1, 60),
    "vocabulary": (4, 2**31 - 1),
}


def _replace(config, changes, of=""):
    fields = {field.name: field for field in dataclasses.fields(config)}
    if not isinstance(changes, dict):
        raise UserError(f"Expected settings{of} as a dict. Received: {changes!r}")
    if unknown := sorted(set(changes) - set(fields)):
        raise UserError(f"Expected settings{of} among {sorted(fields)}. Received: {unknown}")
    values = {name: _value(fields[name], getattr(config, name), value) for name, value in changes.items()}
    return dataclasses.replace(config, **values)


def _value(field, old, new):
    name, kind = field.name, field.type
    if dataclasses.is_dataclass(old):
        return _replace(old, new, f" of {name}")
    new = tuple(new) if isinstance(new, list) else new
    if not _fits(new, kind):
        raise UserError(f"Expected {name} as {kind.__name__ if type(kind) is type else kind}. Received: {name}={new!r}")
    limits = field.metadata.get("limits") or _LIMITS.get(name)
    if new is not None and limits and not limits[0] <= new <= limits[1]:
        raise UserError(f"Expected {name} from {limits[0]} to {limits[1]}. Received: {name}={new!r}")
    return new


def _fits(value, kind):
    """Whether a value is of the kind that a setting declares; an int is a float, a bool is no number."""
    if isinstance(kind, types.UnionType):
        return any(_fits(value, one) for one in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        kinds = typing.get_args(kind)
        if kinds[-1] is ...:
            return isinstance(value, tuple) and all(_fits(one, kinds[0]) for one in value)
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(_fits, value, kinds))
    return type(value) in ((int, float) if kind is float else (kind,))
