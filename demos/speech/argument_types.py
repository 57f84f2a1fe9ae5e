"""What `argparse` makes of the texts of arguments."""

import argparse
import math
from pathlib import Path


def number(kind, low, high=math.inf):
    """A function that makes a number of a text.

    Args:
        kind: int or float.
        low, high: the lowest and highest number.

    >>> number(int, 1)("3")
    3
    """

    def convert(text):
        if not low <= kind(text) <= high:
            wanted = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"expected a number {wanted}, received {text}")
        return kind(text)

    # The name that argparse gives to what is no number at all.
    convert.__name__ = "number"
    return convert


def figure(text):
    """The path of a figure.

    >>> figure("a.png").name
    'a.png'
    """
    if Path(text).suffix not in (".png", ".svg"):
        raise argparse.ArgumentTypeError(f"expected a name that ends in .png or .svg, received {text!r}")
    return Path(text)
