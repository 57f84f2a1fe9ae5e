"""The sentences, manners and examples of `synthetic_speech`."""

import re

import numpy as np
import pytest

from demos.speech.datasets import ctc_room
from demos.speech.datasets.synthetic_speech import synthetic_speech_dataset_builder, utterance
from demos.speech.datasets.synthetic_speech.draws import Draws
from demos.speech.datasets.synthetic_speech.sentences import GRAMMARS, SIZES, sentences
from demos.speech.datasets.synthetic_speech.sentences.names import KNOWN, NEW
from demos.speech.datasets.synthetic_speech.sentences.number_words import cardinal
from demos.speech.datasets.synthetic_speech.voices import VOICES


@pytest.mark.parametrize("config", GRAMMARS)
def test_sentences_are_distinct_and_their_words_known_from_training(config):
    splits = sentences(config)
    assert {split: len(texts) for split, texts in splits.items()} == SIZES
    texts = [text for split in splits.values() for text in split]
    assert len(set(texts)) == len(texts)
    assert all(re.fullmatch(r"[a-z']+( [a-z']+)*", text) for text in texts)
    known = {word for text in splits["train"] for word in text.split()}
    assert {word for text in texts for word in text.split()} == known


def test_sentences_never_change():
    assert sentences("commands")["test"][0] == "will it snow in boston next saturday"
    assert sentences("digits")["test"][0] == "nine four three three two two three"
    assert sentences("numbers")["test"][0] == "eight thirteen"
    assert sentences("names")["test"][0] == "tell julia i will be four minutes late"


def test_half_of_the_names_are_in_no_command():
    known, new = ({name for names in group.values() for name in names.split("|")} for group in (KNOWN, NEW))
    commands = {word for text in sentences("commands")["train"] for word in text.split()}
    assert known <= commands and not new & commands
    for texts in sentences("names").values():
        found = [word for text in texts for word in text.split() if word in known | new]
        assert len(found) >= len(texts) and all((known | new) & set(text.split()) for text in texts)
        assert 0.4 < np.mean([name in new for name in found]) < 0.6


def test_commands_are_short_and_have_a_few_hundred_words():
    texts = sentences("commands")["train"]
    assert 200 <= len({word for text in texts for word in text.split()}) <= 400
    assert {len(text.split()) for text in texts} <= set(range(3, 9))


@pytest.mark.parametrize(
    "number, words",
    [(0, "zero"), (13, "thirteen"), (40, "forty"), (99, "ninety nine"), (200, "two hundred"),
     (4207, "four thousand two hundred and seven"), (5001, "five thousand and one"),
     (999_999, "nine hundred and ninety nine thousand nine hundred and ninety nine")],
)  # fmt: skip
def test_cardinal(number, words):
    assert cardinal(number) == words


def test_draws_depend_on_the_key_alone_and_never_change():
    first, second = Draws("a"), Draws("a")
    assert [first.integer(1, 6) for _ in range(20)] == [second.integer(1, 6) for _ in range(20)]
    assert {Draws(str(key)).integer(1, 6) for key in range(100)} == {1, 2, 3, 4, 5, 6}
    assert Draws("commands/train/0").uniform(0, 1) == pytest.approx(0.8539104441944947, abs=1e-12)


def test_ctc_room():
    assert ctc_room.frames_needed("add a") == 6  # five characters and one blank
    seconds = 7.5 * ctc_room.SECONDS_PER_FRAME * ctc_room.SPEED_UP
    assert ctc_room.frames(seconds) == 6
    assert ctc_room.fits("add a", seconds)
    assert not ctc_room.fits("add an", seconds)


def test_an_utterance_without_room_for_ctc_is_spoken_more_slowly(monkeypatch):
    text = "buy some bread"
    usual = utterance.utterance("commands", "test", 0, text)
    need = int(ctc_room.frames(len(usual.samples) / 16_000) * 1.3)
    monkeypatch.setattr(ctc_room, "frames_needed", lambda text: need)
    assert len(utterance.utterance("commands", "test", 0, text).samples) > len(usual.samples)
    monkeypatch.setattr(ctc_room, "frames_needed", lambda text: 10_000)
    with pytest.raises(ValueError, match=r"Expected at least 10000 encoder frames for commands/test/0.*buy some bread"):
        utterance.utterance("commands", "test", 0, text)


def test_utterances_are_silent_before_the_first_word_and_after_the_last():
    for index in range(12):
        made = utterance.utterance("commands", "test", index, "make my living room lamp yellow")
        loud = np.flatnonzero(np.abs(made.samples) > 0.05 * np.abs(made.samples).max()) / utterance.SAMPLE_RATE
        assert abs(loud[0] - made.words[0].start) < 0.03
        assert loud[-1] - made.words[-1].end < 0.03


def _small_builder(monkeypatch, data_dir):
    monkeypatch.setattr(synthetic_speech_dataset_builder, "SIZES", {"train": 6, "validation": 2, "test": 3})
    texts = {split: texts[:6] for split, texts in sentences("commands").items()}
    texts = {"train": texts["train"], "validation": texts["validation"][:2], "test": texts["test"][:3]}
    monkeypatch.setattr(synthetic_speech_dataset_builder, "sentences", lambda config: texts)
    return synthetic_speech_dataset_builder.Builder(config="commands", data_dir=data_dir), texts


def test_builder_stores_what_is_spoken(monkeypatch, tmp_path):
    builder, texts = _small_builder(monkeypatch, tmp_path)
    builder.download_and_prepare()
    assert builder.info.full_name == "synthetic_speech/commands/1.0.0"
    assert builder.info.features["audio"].sample_rate == 16_000
    for split, expected in texts.items():
        examples = sorted(builder.as_dataset(split=split).as_numpy_iterator(), key=lambda example: example["id"])
        assert [example["text"].decode() for example in examples] == expected
        for index, example in enumerate(examples):
            again = utterance.utterance("commands", split, index, expected[index])
            assert example["audio"].dtype == np.int16
            np.testing.assert_array_equal(example["audio"], again.samples)
            assert example["voice"].decode().split("+")[1] in VOICES[split]
            assert b" ".join(example["words"]["text"]) == example["text"]
            np.testing.assert_allclose(example["words"]["end"], [word.end for word in again.words], rtol=1e-6)
            assert len(example["phonemes"]["symbol"]) == len(example["phonemes"]["start"]) == len(again.phonemes)
