"""Which recordings train, validate and test."""

import collections
import hashlib

from ...errors import UserError
from .table import SPLITS

# With fewer speakers, one of ten would be too large a part to set aside.
MIN_SPEAKERS = 5
# One unit of so many validates, and another one tests.
_PARTS = 10


def split_rows(rows):
    """The rows of each split, none of them empty.

    Rows that name their split keep it. Others are split by speaker, if there are at least `MIN_SPEAKERS`, else one by
    one: a tenth of the units tests, a tenth validates, at least one each; the rest trains, and so does the speaker with
    most recordings. Which, a hash decides: the order of the rows does not matter, nor the place of the files.

    Args:
        rows: list of `Row`.

    Returns:
        A dict from each split to its rows, in their order.

    Raises:
        UserError: there are not enough.
    """
    if any(row.split for row in rows):
        chosen = [row.split for row in rows]
    else:
        speakers = {row.speaker for row in rows}
        by_speaker = "" not in speakers and len(speakers) >= MIN_SPEAKERS
        units = [row.speaker if by_speaker else row.id for row in rows]
        splits = split_units(units)
        chosen = [splits[unit] for unit in units]
    result = {split: [row for row, one in zip(rows, chosen, strict=True) if one == split] for split in SPLITS}
    if empty := [split for split in SPLITS if not result[split]]:
        raise UserError(f"Expected recordings for each of {', '.join(SPLITS)}. Received: none for {', '.join(empty)}")
    return result


def split_units(units):
    """The split of each unit: a dict.

    Args:
        units: list of strings, each as often as it has recordings.

    >>> splits = split_units([f"speaker {i}" for i in range(20)])
    >>> sorted(splits.values()).count("train"), splits["speaker 3"]
    (16, 'train')
    """
    counts = collections.Counter(units)
    order = sorted(counts, key=_hash)
    if not order:
        return {}
    largest = max(order, key=counts.get)
    order.remove(largest)
    part = max(1, round(len(counts) / _PARTS))
    names = ["test"] * part + ["validation"] * part
    return dict.fromkeys(counts, "train") | dict(zip(order, names, strict=False))


def _hash(text):
    return hashlib.sha256(text.encode()).digest()
