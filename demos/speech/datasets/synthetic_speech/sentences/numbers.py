"""Numbers as people read them out: cardinals, years, times, prices and phone numbers."""

from .number_words import DIGITS, cardinal


def sentence(draws):
    """One number of a random kind."""
    return draws.choice((_cardinal, _year, _time, _price, _phone))(draws)


def _cardinal(draws):
    return cardinal(draws.integer(0, draws.choice((99, 999, 9_999, 999_999))))


def _year(draws):
    century, year = draws.integer(15, 20), draws.integer(0, 99)
    if year == 0:
        return "two thousand" if century == 20 else f"{cardinal(century)} hundred"
    if century == 20 and year < 10:
        return f"two thousand and {cardinal(year)}"
    return f"{cardinal(century)} {'oh ' if year < 10 else ''}{cardinal(year)}"


def _time(draws):
    hour, minute = cardinal(draws.integer(1, 12)), draws.integer(0, 59)
    part = draws.choice(("", " in the morning", " in the afternoon", " in the evening", " at night"))
    if minute == 0:
        return f"{hour} o'clock{part}"
    if minute in _QUARTERS and draws.integer(0, 1):
        return f"{_QUARTERS[minute]} {hour}{part}"
    return f"{hour} {'oh ' if minute < 10 else ''}{cardinal(minute)}{part}"


def _price(draws):
    whole, part, (unit, units, cent, cents) = draws.integer(1, 150), draws.integer(1, 99), draws.choice(_CURRENCIES)
    unit = unit if whole == 1 else units
    price = f"{cardinal(whole)} {unit}"
    small = f"{cardinal(part)} {cent if part == 1 else cents}"
    return draws.choice((price, f"{price} {cardinal(part)}", f"{price} and {small}"))


def _phone(draws):
    """Seven digits, zero as "oh", now and then a pair as "double"."""
    words = ["oh" if digit == "zero" else digit for digit in (draws.choice(DIGITS) for _ in range(7))]
    for index in range(len(words) - 1, 0, -1):
        if words[index] == words[index - 1] and "double" not in words[max(index - 2, 0) : index + 2]:
            words[index - 1] = "double"
    return " ".join(words)


_QUARTERS = {15: "quarter past", 30: "half past", 45: "quarter to"}
_CURRENCIES = (
    ("dollar", "dollars", "cent", "cents"),
    ("euro", "euros", "cent", "cents"),
    ("pound", "pounds", "penny", "pence"),
)
