"""Strings of 3 to 7 digits: "three seven two"."""

from .number_words import DIGITS


def sentence(draws):
    """One string of digits."""
    return " ".join(draws.choice(DIGITS) for _ in range(draws.integer(3, 7)))
