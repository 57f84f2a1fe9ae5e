"""What `compare` compares unless it is told otherwise, and its options."""

from pathlib import Path

from demos.speech.argument_types import number
from demos.speech.options import DEFAULT, add_data_dir

SCORERS = (
    "additive",
    "location_aware",
    "dot",
    "scaled_dot",
    "general",
    "cosine",
    "dynamic_convolution",
    "gaussian_mixture",
)
ALIGNMENTS = ("softmax", "entmax15", "sigmoid_smoothing", "monotonic", "forward")
# Half of the usual recogniser, and a greedy search without CTC: what is compared is attention. What is heard and what
# asks have as many dimensions, as an inner product of the two wants it.
SETTINGS = {
    "listener": {"units": 64},
    "speller": {"units": 128},
    "training": {"epochs": 4},
    "decoding": {"beam_width": 1, "ctc_weight": 0.0},
}


def add_compare(parser):
    """Add the options to a parser."""
    add = parser.add_argument
    add("--dataset", default="synthetic_speech/digits", metavar="NAME", help=f"as for train {DEFAULT}")
    for option, names in (("--scorers", SCORERS), ("--alignments", ALIGNMENTS)):
        what = f"names of {option[2:-1]} functions of keras_attn (default: {' '.join(names)})"
        add(option, nargs="+", default=list(names), metavar="NAME", help=what)
    epochs = SETTINGS["training"]["epochs"]
    add(
        "--epochs", type=number(int, 1), default=epochs, metavar="N", help=f"passes over the data of each run {DEFAULT}"
    )
    help = f"runs of each pair, with the seeds 0 to N - 1; the table has the means {DEFAULT}"
    add("--seeds", type=number(int, 1), default=1, metavar="N", help=help)
    add(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting for all runs, such as listener.units=128; may be given several times (default: a listener of "
        f"{SETTINGS['listener']['units']} and a speller of {SETTINGS['speller']['units']} units, greedy search, else "
        "as for train)",
    )
    help = f"folder for the page and all runs; the same command goes on with what is there {DEFAULT}"
    add("--run", type=Path, default=Path("runs/comparison"), metavar="FOLDER", help=help)
    add_data_dir(parser)
