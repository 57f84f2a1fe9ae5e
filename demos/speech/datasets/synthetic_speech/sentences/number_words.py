"""Numbers in words."""

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def cardinal(number):
    """A cardinal from 0 to 999,999 in words: `cardinal(4207)` is `"four thousand two hundred and seven"`."""
    if number < 10:
        return DIGITS[number]
    if number < 20:
        return _TEENS[number - 10]
    if number < 100:
        return _joined(_TENS[number // 10 - 2], number % 10, " ")
    if number < 1000:
        return _joined(f"{DIGITS[number // 100]} hundred", number % 100, " and ")
    rest = number % 1000
    return _joined(f"{cardinal(number // 1000)} thousand", rest, " and " if rest < 100 else " ")


def _joined(words, rest, glue):
    return words + glue + cardinal(rest) if rest else words
