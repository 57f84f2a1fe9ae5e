"""Which parts of a TFDS dataset train, validate and test."""

import re

from ..errors import UserError

_NAMES = {"train": ("train",), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}


def choose_splits(known, train=None, validation=None, test=None):
    """What to read for training, validation and test, in the language of TFDS.

    By default, the splits that are called so, or whose names begin so; where there is none for validation or test, the
    last tenths of the training splits.

    Args:
        known: names of the splits of the dataset.
        train, validation, test: what to read instead, such as `"train[:40]"`.

    Returns:
        A dict from `"train"`, `"validation"` and `"test"`.

    Raises:
        UserError: it is not clear what to take, or the same could be trained on and tested with.

    >>> choose_splits(["train", "test"])
    {'train': 'train[0%:90%]', 'validation': 'train[90%:100%]', 'test': 'test'}
    """
    given = {"train": train, "validation": validation, "test": test}
    found = {split: _named(split, known) for split in given}
    if any(given.values()):
        return _complete(given, found)
    if not found["train"] and len(known) == 1:
        found = {"train": list(known), "validation": [], "test": []}
    if not found["train"]:
        raise UserError(f"Expected --train-split, --validation-split and --test-split. The splits: {', '.join(known)}")
    missing = [split for split in ("validation", "test") if not found[split]]
    chosen = {split: "+".join(found[split]) for split in found}
    if missing:
        chosen["train"] = _share(found["train"], 0, 100 - 10 * len(missing))
    for number, split in enumerate(reversed(missing), start=1):
        chosen[split] = _share(found["train"], 100 - 10 * number, 110 - 10 * number)
    return chosen


def _named(split, known):
    for name in _NAMES[split]:
        if name in known:
            return [name]
    return [one for one in known if one.startswith(_NAMES[split])]


def _complete(given, found):
    """What is given, and what is found for the rest, if it has nothing in common with that."""
    taken = {part for spec in given.values() if spec for part in re.findall(r"[^\s+[\]]+(?=\[|\+|$)", spec)}
    for split, spec in given.items():
        if not spec and (not found[split] or taken & set(found[split])):
            raise UserError(
                f"Expected --{split}-split, too, as what is not asked for is not clear. "
                f"Received: {', '.join(f'--{name}-split {one!r}' for name, one in given.items() if one)}"
            )
    return {split: spec or "+".join(found[split]) for split, spec in given.items()}


def _share(splits, first, last):
    return "+".join(f"{split}[{first}%:{last}%]" for split in splits)
