"""Random choices that are the same on every machine and in every version of Python and NumPy."""

import random


class Draws:
    """A stream of choices that depends on its key alone.

    NumPy may change its streams between versions; `random.Random(str).random()` is promised not to change, so every
    choice is made from that one method.

    Args:
        key: any string, for example `"commands/train/17"`.
    """

    def __init__(self, key):
        self._random = random.Random(key).random

    def uniform(self, low, high):
        """A float in `[low, high)`."""
        return low + (high - low) * self._random()

    def integer(self, low, high):
        """An integer from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def choice(self, items):
        """One of a sequence."""
        return items[int(self._random() * len(items))]
