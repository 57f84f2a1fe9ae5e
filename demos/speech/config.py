"""All settings of a run, as data: what `train` writes to `config.json` and `--config` takes back."""

import dataclasses
import json

from demos.speech.augmentation import WaveformAugmentation
from demos.speech.errors import UserError


@dataclasses.dataclass(frozen=True)
class FeatureConfig:
    """Log-mel features; `window` and `hop` in seconds, `sample_rate` in Hz (None: that of the dataset)."""

    sample_rate: int | None = None
    bands: int = 40
    window: float = 0.025
    hop: float = 0.010


@dataclasses.dataclass(frozen=True)
class ListenerConfig:
    """The encoder: `stack` frames are joined first, then `levels` bidirectional LSTMs, each halving time but the first.

    An encoder frame thus stands for `stack * 2 ** (levels - 1)` feature frames.
    """

    stack: int = 2
    levels: int = 2
    units: int = 128
    dropout: float = 0.2

    @property
    def reduction(self):
        return self.stack * 2 ** (self.levels - 1)


@dataclasses.dataclass(frozen=True)
class SpellerConfig:
    """The decoder. `scorer` and `alignment` are names or configurations of `keras_attn`."""

    embedding: int = 64
    units: int = 256
    dropout: float = 0.2
    scorer: str | dict = "location_aware"
    alignment: str | dict = "softmax"


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How to train. The learning rate rises for a share `warmup` of all steps, then falls to 0 along a cosine."""

    epochs: int = 12
    batch_size: int = 32
    learning_rate: float = 2e-3
    warmup: float = 0.05
    clip_norm: float = 5.0
    ctc_weight: float = 0.3
    label_smoothing: float = 0.1
    patience: int = 5
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class SpecAugmentConfig:
    """Stripes cut out of the features in training; the arguments of `SpecAugment`."""

    time_masks: int = 2
    time_share: float = 0.05
    frequency_masks: int = 1
    frequency_width: int = 6


@dataclasses.dataclass(frozen=True)
class Config:
    """Everything that, with the data, determines a run."""

    dataset: str = "synthetic_speech/commands"
    test_speaker: str | None = None
    features: FeatureConfig = FeatureConfig()
    listener: ListenerConfig = ListenerConfig()
    speller: SpellerConfig = SpellerConfig()
    training: TrainingConfig = TrainingConfig()
    augmentation: WaveformAugmentation = WaveformAugmentation()
    spec_augment: SpecAugmentConfig = SpecAugmentConfig()

    def to_dict(self):
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values):
        """The configuration of a nested dict; what it leaves out has its default, what it makes up is an error."""
        return _from_dict(cls, values)

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


def _from_dict(cls, values):
    return _replace(cls(), values)


def _replace(config, changes):
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    unknown = sorted(set(changes) - set(fields))
    if unknown:
        raise UserError(f"Expected settings among {sorted(fields)}. Received: {unknown}")
    values = {
        name: _replace(fields[name], value) if dataclasses.is_dataclass(fields[name]) else _plain(value)
        for name, value in changes.items()
    }
    return dataclasses.replace(config, **values)


def _plain(value):
    return tuple(value) if isinstance(value, list) else value
