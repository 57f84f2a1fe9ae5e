"""The sentences of each configuration: distinct, and in one split only."""

from ..draws import Draws
from . import commands, digits, names, numbers

SIZES = {"train": 4000, "validation": 250, "test": 300}
GRAMMARS = {
    "commands": commands.sentence,
    "digits": digits.sentence,
    "numbers": numbers.sentence,
    "names": names.sentence,
}


def sentences(config):
    """The sentences of a configuration.

    Args:
        config: `"commands"`, `"digits"`, `"numbers"` or `"names"`.

    Returns:
        A dict from split to list of strings. No sentence occurs twice, in one split or in two, and the words of
        `validation` and `test` all occur in `train`.
    """
    draws, grammar = Draws(f"sentences/{config}"), GRAMMARS[config]
    distinct = {}  # a dict keeps the order
    while len(distinct) < sum(SIZES.values()):
        distinct[grammar(draws)] = None
    remaining = iter(distinct)
    return {split: [next(remaining) for _ in range(size)] for split, size in SIZES.items()}
