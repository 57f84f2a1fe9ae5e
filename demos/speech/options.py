"""Options that several commands have."""

import dataclasses
from pathlib import Path

from demos.speech.argument_types import number
from demos.speech.decoding import DecodingConfig

DEFAULT = "(default: %(default)s)"


def add_places(parser, run, prefix=""):
    """Where a run and its data are."""
    parser.add_argument(
        "--run", type=Path, dest=f"{prefix}run", metavar="DIR", help=f"folder for all that is made (default: {run})"
    )
    add_data_dir(parser, prefix)


def add_data_dir(parser, prefix=""):
    """Where TFDS keeps its datasets."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        dest=f"{prefix}data_dir",
        metavar="DIR",
        help="folder of TFDS for its datasets (default: ~/tensorflow_datasets)",
    )


def add_model(parser, what):
    """The model to work with."""
    parser.add_argument("--model", type=Path, required=True, metavar="MODEL", help=f"{what} (required)")


def add_split(parser):
    """The dataset to work with, and the part of it."""
    parser.add_argument("--dataset", metavar="NAME", help="as for train (default: that of the run)")
    parser.add_argument(
        "--split",
        default="test",
        metavar="NAME",
        help=f"train, validation or test; or enrolment, where spoken_digit has a test speaker {DEFAULT}",
    )


def add_decoding(parser):
    """The search; see `DecodingConfig`."""
    group = parser.add_argument_group("search", "how the text is found; config.json of the run may have other defaults")
    add_settings(group, DecodingConfig)
    group.add_argument(
        "--ensemble",
        action="append",
        metavar="MODEL",
        help="run folder or .keras file of another recogniser, which has as much to say; may be given several times "
        "(default: none)",
    )
    group.add_argument(
        "--language-model",
        dest="language_models",
        action="append",
        metavar="FILE",
        help="made by train-lm, or an ARPA file of n-grams; may be given several times (default: none)",
    )


def add_settings(group, settings):
    """An option for each number of the settings; None when it is not given."""
    for field in dataclasses.fields(settings):
        if "limits" not in field.metadata:
            continue
        flag = "--" + field.name.replace("_", "-")
        kind = int if field.type is int else float
        limits = field.metadata["limits"]
        default = "none" if field.default is None else field.default
        group.add_argument(
            flag, type=number(kind, *limits), metavar="N", help=f"{field.metadata['help']} (default: {default})"
        )


def add_phrases(parser):
    """Phrases to favour."""
    parser.add_argument(
        "--phrases", type=Path, metavar="FILE", help="text file with a phrase to favour on each line (default: none)"
    )
