"""Commands with the name of a person: for one in two a name that no command of `commands` has."""

from . import commands

NEW = {
    "first_name": "henry|alice|martin|julia|robert|helen|victor|clara|simon|nora",
    "surname": "parker|walker|foster|turner|morgan|simmons",
}
KNOWN = {slot: commands.SLOTS[slot] for slot in NEW}
_SLOTS = {**commands.SLOTS, **{slot: f"{KNOWN[slot]}|{names}" for slot, names in NEW.items()}}
_NAMES = {name for slot in NEW for name in _SLOTS[slot].split("|")}


def sentence(draws):
    """One command with a name in it."""
    while True:
        text = commands.sentence(draws, _SLOTS)
        if _NAMES & set(text.split()):
            return text
