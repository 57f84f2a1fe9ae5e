"""What the command line understands. Nothing heavy is imported here, so that `--help` answers at once."""

import argparse
from pathlib import Path

from demos.speech import commands
from demos.speech.argument_types import figure, number
from demos.speech.comparison_options import add_compare
from demos.speech.data_options import add_data_options
from demos.speech.experiments import EXPERIMENTS
from demos.speech.formats import FORMATS
from demos.speech.language_model_config import LanguageModelConfig
from demos.speech.options import (
    DEFAULT,
    add_data_dir,
    add_decoding,
    add_model,
    add_phrases,
    add_places,
    add_settings,
    add_split,
)
from demos.speech.presets import PRESETS
from demos.speech.self_training_config import SelfTrainingConfig
from demos.speech.transcribe import DEFAULT_MODEL

_STREAM = (
    "write while one FILE is heard; - stands for raw samples (16 bits, one channel, the rate of the model) from "
    "standard input"
)
_EXAMPLES = """\
Without a command, the whole road is gone on the synthetic commands: build the data, train, evaluate, export,
transcribe. It takes about nine minutes on two cores.

examples:
  python -m demos.speech train --dataset spoken_digit --run runs/digits
  python -m demos.speech transcribe recording.wav other.mp3 --json
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message):
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def make_parser():
    """The parser of all commands; `command` of what it returns is the function to call with that."""
    parser = _Parser(
        prog="python -m demos.speech",
        description="Listen, Attend and Spell: a speech recogniser built on keras_attn.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=commands.road, hint="; the same command goes on with it")
    # Names of their own, as those of a command would overwrite them.
    add_places(parser, "runs/demo", "road_")
    subparsers = parser.add_subparsers(title="commands", metavar="command")
    for name, add_arguments in COMMANDS.items():
        command = getattr(commands, name.replace("-", "_"))
        summary = command.__doc__
        help = summary[0].lower() + summary[1:].rstrip(".")
        subparser = subparsers.add_parser(name, help=help, description=summary)
        goes_on = name in ("compare", "reproduce")
        subparser.set_defaults(command=command, hint="; the same command goes on" if goes_on else "")
        add_arguments(subparser)
    return parser


def _add_train(parser):
    add_places(parser, "runs/ and the name of the dataset")
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help="synthetic_speech/commands, synthetic_speech/digits, synthetic_speech/numbers, synthetic_speech/names, "
        "spoken_digit, kokoro_digits, manifest:FILE.tsv, own recordings, or tfds:NAME, of TensorFlow Datasets; with + "
        "and another one after it, that one is trained on, too "
        "(default: synthetic_speech/commands)",
    )
    parser.add_argument(
        "--config",
        metavar="NAME",
        help="settings: a file, or digits, librispeech_100, librispeech_960, ljspeech, synthetic_digits or "
        "yes_no (default: built-in ones)",
    )
    parser.add_argument(
        "--preset", choices=list(PRESETS), help="shape of the recogniser (default: that of the settings)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped (default: a new run)")
    parser.add_argument("--seed", type=int, metavar="N", help="of all random numbers (default: 0)")
    parser.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="at most so many passes over the data "
        "(default: 7, and more where that is less than 800 steps; 30 for spoken_digit and kokoro_digits)",
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="utterances a step (default: 32)")
    parser.add_argument("--learning-rate", type=float, metavar="R", help="its highest value (default: 0.002)")
    add_data_options(parser)
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any setting of config.json, such as listener.units=256; may be given several times (default: none)",
    )
    parser.set_defaults(hint="; go on with --resume")


def _add_presets(parser):
    help = f"tokens that can be written {DEFAULT}"
    parser.add_argument("--vocabulary", type=number(int, 3, 20000), default=16000, metavar="N", help=help)


def _add_evaluate(parser):
    add_model(parser, "run folder, or .keras file with its config.json beside it")
    add_split(parser)
    add_data_dir(parser)
    add_phrases(parser)
    add_decoding(parser)
    parser.add_argument(
        "--plots", type=number(int, 0), default=5, metavar="N", help=f"worst utterances to draw {DEFAULT}"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object (default: a table)")
    help = "find out first, from all utterances of a speaker, how the voice differs (default: take each by itself)"
    parser.add_argument("--adapt", action="store_true", help=help)
    help = "hear the utterances bit by bit, and say how late each word is written (default: hear them whole)"
    parser.add_argument("--stream", action="store_true", help=help)


def _add_self_train(parser):
    help = "recordings, all of one voice (default: those of a dataset)"
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help=help)
    add_model(parser, "run folder, or .keras file with its config.json beside it")
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help="folder for the new model (default: self_trained in the run folder)"
    )
    add_split(parser)
    add_data_dir(parser)
    add_settings(parser, SelfTrainingConfig)


def _add_searches(parser):
    add_model(parser, "run folder, or .keras file with its config.json beside it")
    add_split(parser)
    add_data_dir(parser)
    add_decoding(parser)


def _add_transcribe(parser):
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="audio: WAV, FLAC, OGG, MP3 and more")
    parser.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="MODEL",
        help=f"SavedModel or run folder (default: the shipped one, saved_models/{DEFAULT_MODEL.name})",
    )
    add = parser.add_argument
    add("--format", choices=list(FORMATS), help="of the output (default: that of the suffix of --output, or text)")
    add("--json", dest="format", action="store_const", const="json", help="a JSON object a file (default: text)")
    add(
        "--output",
        type=Path,
        metavar="PATH",
        help="file for what is said, or folder with a file for each recording (default: standard output)",
    )
    add("--stream", action="store_true", help=f"{_STREAM} (default: write when all is heard)")
    help = "all files are of one speaker: find out first how the voice differs; needs a run folder (default: do not)"
    add("--one-voice", action="store_true", help=help)
    add("--plot", type=Path, metavar="DIR", help="draw a figure of each segment there (default: none)")
    add("--pause", type=number(float, 0.1), default=0.5, metavar="S", help=f"seconds of silence to cut at {DEFAULT}")
    add(
        "--margin",
        type=number(float, 0),
        default=0.1,
        metavar="S",
        help=f"seconds of a pause that are kept {DEFAULT}",
    )
    add("--longest", type=number(float, 1, 60), default=15.0, metavar="S", help=f"longest segment, seconds {DEFAULT}")
    add_phrases(parser)
    add_decoding(parser)


def _add_plot(parser):
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="audio (default: an utterance of a dataset)")
    add_model(parser, "SavedModel, run folder or .keras file")
    add_split(parser)
    parser.add_argument("--index", type=number(int, 0), default=0, metavar="N", help=f"of the utterance {DEFAULT}")
    parser.add_argument(
        "--output", type=figure, default="alignment.png", metavar="FILE", help=f".png or .svg file {DEFAULT}"
    )
    add_data_dir(parser)


def _add_export(parser):
    add_model(parser, "run folder or .keras file")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="folder of the SavedModel (default: saved_model in the run folder)"
    )
    help = "compile listener and search: faster, but seconds for the first recording of each size (default: do not)"
    parser.add_argument("--jit-compile", action="store_true", help=help)
    add_decoding(parser)


def _add_train_lm(parser):
    add_model(parser, "run folder, or .keras file with its config.json beside it")
    texts = parser.add_mutually_exclusive_group()
    texts.add_argument("--text", type=Path, metavar="FILE", help="text, a sentence on each line (default: a dataset)")
    texts.add_argument("--dataset", metavar="NAME", help="whose texts to take (default: that of the run)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="model to write (default: language_model.keras in the run folder)"
    )
    add_data_dir(parser)
    add_settings(parser, LanguageModelConfig)


def _add_reproduce(parser):
    known = "; ".join(f"{name}, {experiment.title}" for name, experiment in EXPERIMENTS.items())
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"experiments (default: all of them): {known}")
    help = f"folder for the table and all runs; the same command goes on with what is there {DEFAULT}"
    parser.add_argument("--run", type=Path, default=Path("runs/reproduction"), metavar="DIR", help=help)
    add_data_dir(parser)


COMMANDS = {
    "train": _add_train,
    "presets": _add_presets,
    "train-lm": _add_train_lm,
    "self-train": _add_self_train,
    "evaluate": _add_evaluate,
    "ablate": _add_searches,
    "robustness": _add_searches,
    "compare": add_compare,
    "reproduce": _add_reproduce,
    "transcribe": _add_transcribe,
    "plot": _add_plot,
    "export": _add_export,
}
