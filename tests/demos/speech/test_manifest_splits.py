"""Rows of a manifest without splits are given some, by a hash, or by speaker."""

import pytest

from demos.speech.datasets.manifest.splits import split_rows, split_units
from demos.speech.datasets.manifest.table import Row
from demos.speech.errors import UserError


def rows_of(speakers):
    return [Row(i, f"{i}.wav", None, "a", speaker) for i, speaker in enumerate(speakers)]


@pytest.mark.parametrize("count", [3, 4, 10, 60, 1000])
def test_about_eighty_ten_and_ten_in_a_hundred_none_empty(count):
    splits = split_rows(rows_of([""] * count))
    tenth = max(1, round(count / 10))
    assert {split: len(rows) for split, rows in splits.items()} == {
        "train": count - 2 * tenth, "validation": tenth, "test": tenth,
    }  # fmt: skip


def test_no_speaker_is_in_two_splits_and_the_one_with_most_recordings_trains():
    speakers = ["much"] * 50 + [f"speaker {i % 6}" for i in range(30)]
    splits = {split: {row.speaker for row in rows} for split, rows in split_rows(rows_of(speakers)).items()}
    assert sorted(map(len, splits.values())) == [1, 1, 5] and "much" in splits["train"]
    assert not splits["train"] & (splits["test"] | splits["validation"])


def test_few_speakers_are_in_all_splits():
    splits = split_rows(rows_of([f"speaker {i % 4}" for i in range(80)]))
    assert [len(splits[split]) for split in ("train", "validation", "test")] == [64, 8, 8]


def test_the_order_of_the_rows_does_not_matter():
    units = [f"{i}.wav" for i in range(100)]
    assert split_units(units) == split_units(units[::-1])
    more = split_units([*units, "100.wav"])
    assert sum(more[unit] != split for unit, split in split_units(units).items()) <= 2


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_recordings(count):
    with pytest.raises(UserError, match="Expected recordings for each of train, validation, test. Received: none for"):
        split_rows(rows_of([""] * count))
