"""The door to the corpora."""

import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from demos.speech import corpora
from demos.speech.datasets.spoken_digit import ARCHIVE
from demos.speech.datasets.synthetic_speech import synthetic_speech_dataset_builder
from demos.speech.errors import UserError

RECORDINGS = pathlib.Path(__file__).parents[3] / "../shared/data/spoken_digit" / ARCHIVE


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(
        UserError, match=r"synthetic_speech/commands, .*, kokoro_digits, manifest:FILE.tsv.* Received: name='speech'"
    ):
        corpora.get("speech", data_dir=tmp_path)


@pytest.mark.parametrize("name, known", [("synthetic_speech/digits", "none"), ("spoken_digit", "test_speaker")])
def test_an_unknown_option_lists_the_known_ones(name, known, tmp_path):
    with pytest.raises(UserError, match=f"options of {name}: {known}. Received: voice"):
        corpora.get(name, data_dir=tmp_path, voice="f1")


def test_a_folder_that_cannot_be_written_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot build synthetic_speech/digits/1.0.0 in"):
        corpora.get("synthetic_speech/digits", data_dir=tmp_path / "file")


def _check(corpus):
    for split in corpus.splits:
        elements = list(corpus.utterances(split).as_numpy_iterator())
        assert len(elements) == corpus.size(split)
        for element in elements:
            assert set(element) == {"id", "audio", "text", "speaker", "words"}
            assert element["audio"].dtype == np.int16
            assert b" ".join(element["words"]["text"]) == element["text"]
            assert element["words"]["end"][-1] <= len(element["audio"]) / corpus.sample_rate + 1e-3


def test_synthetic_speech(monkeypatch, tmp_path, capfd):
    sizes = {"train": 5, "validation": 2, "test": 2}
    monkeypatch.setattr(synthetic_speech_dataset_builder, "SIZES", sizes)
    texts = {split: [f"{split} one two"] * size for split, size in sizes.items()}
    monkeypatch.setattr(synthetic_speech_dataset_builder, "sentences", lambda config: texts)
    corpus = corpora.get("synthetic_speech/digits", data_dir=tmp_path)
    assert f"Building synthetic_speech/digits/1.0.0 in {tmp_path}" in capfd.readouterr().err
    assert (corpus.name, corpus.sample_rate) == ("synthetic_speech/digits", 16_000)
    _check(corpus)
    inside = tf.data.Dataset.range(1).flat_map(lambda _: corpus.utterances("train", seed=0, epoch=tf.constant(1)))
    ids = [element["id"] for element in inside]
    assert ids == [element["id"] for element in corpus.utterances("train")]
    corpora.get("synthetic_speech/digits", data_dir=tmp_path)
    assert "Building" not in capfd.readouterr().err


@pytest.mark.skipif(not RECORDINGS.exists(), reason="needs ../shared/data, the recordings of spoken_digit")
@pytest.mark.filterwarnings("ignore:'audioop' is deprecated", "ignore:Couldn't find ffmpeg")
def test_spoken_digit(tmp_path):
    (tmp_path / "downloads/manual").mkdir(parents=True)
    shutil.copy(RECORDINGS, tmp_path / "downloads/manual")
    corpus = corpora.get("spoken_digit", data_dir=tmp_path)
    assert (corpus.name, corpus.sample_rate, corpus.size("train")) == ("spoken_digit", 8_000, 2500)
    _check(corpus)
    element = next(corpus.utterances("test").as_numpy_iterator())
    level = [
        np.std(element["audio"][int(start * 8000) : int(end * 8000)])
        for start, end in zip(element["words"]["start"], element["words"]["end"], strict=True)
    ]
    assert min(level) > 20  # speech, where silence is below 2
    with pytest.raises(UserError, match=r"george, jackson, nicolas, theo, yweweler"):
        corpora.get("spoken_digit", data_dir=tmp_path, test_speaker="thea")
