"""The options of the command line that say what to make of a dataset."""

import functools

TOKENS = ("characters", "bpe")


def add_data_options(parser):
    """Add the options to a parser; what is not given is None."""
    add = parser.add_argument_group("data", "what to make of the dataset").add_argument
    add(
        "--tokens",
        choices=TOKENS,
        help="what is written one by one: characters, or pieces of words (default: characters)",
    )
    add("--vocabulary", type=int, metavar="N", help="of bpe: at most so many pieces (default: 500)")
    add("--test-speaker", metavar="NAME", help="of spoken_digit: test on this speaker (default: none)")
    add(
        "--sample-rate",
        type=int,
        metavar="HZ",
        help="of own recordings and tfds: bring them to this rate (default: that of most own files, but at most 16000; "
        "that of the dataset)",
    )
    add(
        "--max-seconds",
        type=float,
        metavar="S",
        help="longer own recordings are wrong, those of tfds are left out (default: 60; no limit for tfds)",
    )
    switch = functools.partial(add, action="store_true", default=None)
    switch("--lowercase", help="write small letters only (default: as in the texts)")
    switch("--keep-punctuation", help="write punctuation, too (default: only apostrophes and hyphens inside words)")
    switch("--skip-bad", help="leave out own recordings with something wrong (default: name them all, and end)")
    help = "of own recordings: a CTM file that tells when each word is said (default: the column words, or not known)"
    add("--word-times", metavar="FILE", help=help)
    add("--audio-feature", metavar="NAME", help="of tfds: what is heard (default: the only audio)")
    add("--text-feature", metavar="NAME", help="of tfds: what is written (default: the only text, or labels)")
    _add_splits(add)


def _add_splits(add):
    defaults = {
        "train": "all splits whose names begin so",
        "validation": "as above, or a tenth of train",
        "test": "as above, or another tenth of train",
    }
    for split, default in defaults.items():
        what = f"of tfds: what to use for {split}, such as 'train[:80%%]' (default: {default})"
        add(f"--{split}-split", metavar="SPLIT", help=what)
