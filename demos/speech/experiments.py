"""What the figures of the docs are measured of: trainings, as the commands that do them, and tests of each."""

import dataclasses

SPEAKERS = ("george", "jackson", "nicolas", "theo", "yweweler")
SEEDS = range(3)
# Less than half of the steps of the recipe `digits`, and no bad recordings: 8 epochs with synthetic voices, 16 without.
_REAL = ("--dataset", "spoken_digit", "--epochs", "16")
_WITH_NEURAL = ("--dataset", "spoken_digit+kokoro_digits", "--epochs", "8")
_WITH_SYNTHETIC = ("--dataset", "spoken_digit+synthetic_speech/digits", "--epochs", "8")


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training, and what is done with the model: arguments of the commands of `python -m demos.speech`.

    Attributes:
        name: what tells it from others of the experiment.
        train, evaluate: arguments, without those that name the run folder.
        ensemble: arguments with which others are trained, that are asked, too.
        language_model: whether one is trained, too, and used.
        robustness: whether bad recordings are recognised, too.
        self_train: split from which it goes on learning, without its texts, before it is tested again; none if empty.
    """

    name: str
    train: tuple[str, ...]
    evaluate: tuple[str, ...] = ()
    ensemble: tuple[tuple[str, ...], ...] = ()
    language_model: bool = False
    robustness: bool = False
    self_train: str = ""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Trials whose mean is a figure of the docs."""

    title: str
    trials: tuple[Trial, ...]


def _seeds(dataset, **options):
    return tuple(Trial(f"seed {seed}", ("--dataset", dataset, "--seed", str(seed)), **options) for seed in SEEDS)


def _one(*train, **options):
    return (Trial("seed 0", train, **options),)


def _set(*settings):
    return (argument for setting in settings for argument in ("--set", setting))


# What changes, and not what is there; slower here and faster there.
_CHANGES = tuple(_set("features.delta_window=2", "spec_augment.time_warp=0.1"))

EXPERIMENTS = {
    "spoken_digit": Experiment("strings of real digits, speakers that it knows", _seeds("spoken_digit")),
    "additive": Experiment(
        "the same, plain additive attention, led more, with twice as many frames",
        _one(
            *("--dataset", "spoken_digit"),
            *_set("speller.scorer=additive", "training.guided_attention=30", "listener.convolutions=1"),
        ),
    ),
    "speakers": Experiment(
        "strings of real digits, a speaker never heard; four recognisers that hear in different ways",
        tuple(
            Trial(
                who,
                (*_REAL, *_CHANGES, "--test-speaker", who),
                ("--adapt",),
                ensemble=tuple(
                    (*settings, "--test-speaker", who)
                    for settings in (_REAL, _WITH_SYNTHETIC, (*_WITH_NEURAL, *_CHANGES))
                ),
            )
            for who in SPEAKERS
        ),
    ),
    "self_training": Experiment(
        "the same, one recogniser, which goes on learning from recordings of that speaker without texts",
        tuple(
            Trial(who, (*_WITH_SYNTHETIC, "--test-speaker", who), ("--adapt",), self_train="enrolment")
            for who in SPEAKERS
        ),
    ),
    "synthetic": Experiment(
        "trained on synthetic digits alone, tested on real ones",
        _one("--config", "synthetic_digits", evaluate=("--dataset", "spoken_digit")),
    ),
    "digits": Experiment(
        "the shipped model of digits, and bad recordings", _one("--config", "digits", robustness=True)
    ),
    "commands": Experiment(
        "commands, voices never heard, with the language model",
        _seeds("synthetic_speech/commands", language_model=True),
    ),
    "numbers": Experiment("numbers, voices never heard", _seeds("synthetic_speech/numbers")),
}
