"""Self-training: what is learnt from, what comes of it, and what is refused."""

import numpy as np
import pytest

from demos.speech import corpora, self_training
from demos.speech.cli import main
from demos.speech.config import Config
from demos.speech.errors import UserError
from demos.speech.evaluation import evaluate
from demos.speech.loading import open_model
from demos.speech.self_training import LabelledAndKnown, self_train
from demos.speech.self_training_config import SelfTrainingConfig
from tests.demos.speech.tones import SAMPLE_RATE, TINY, Tones, tiny_model, tones

CONFIG = TINY.replace(listener={"levels": 1}, word_cut=0.02, decoding={"beam_width": 1, "max_length_ratio": 0.3})
SHORT = SelfTrainingConfig(rounds=1, epochs=1, learning_rate=0.01)


def audio_of(text):
    return {"audio": tones(text), "speaker": b"piper"}


@pytest.fixture
def corpus(monkeypatch):
    corpus = Tones(["ab", "cd", "a d", "bb", "ca"], ["ac", "bd"])
    monkeypatch.setitem(corpora._CORPORA, "tones", lambda name, data_dir: corpus)
    return corpus


@pytest.fixture
def run(tmp_path):
    """A run folder of a recogniser that has not learnt much."""
    CONFIG.save(tmp_path / "config.json")
    tiny_model(CONFIG).save(tmp_path / "model.keras")
    return tmp_path


def told(corpus):
    return [
        (one["text"].decode(), one["audio"].tolist()) for one in corpus.utterances("train", epoch=2).as_numpy_iterator()
    ]


def test_as_many_known_utterances_as_written_ones(corpus):
    mixed = LabelledAndKnown([audio_of("ab"), audio_of("c")], ["aa", "d"], corpus)
    assert mixed.size("train") == 4 and mixed.sample_rate == SAMPLE_RATE
    assert told(mixed) == [(text, tones(said).tolist()) for text, said in (("aa", "ab"), ("d", "c"))] + told(corpus)[:2]


def test_all_known_utterances_where_there_are_fewer(corpus):
    mixed = LabelledAndKnown([audio_of("a")] * 9, ["b"] * 9, corpus)
    assert mixed.size("train") == len(told(mixed)) == 9 + 5


def test_recordings_of_floating_samples_are_the_same(corpus):
    floating = {"audio": tones("ab").astype("float32") / 32768}
    assert told(LabelledAndKnown([floating], ["x"], corpus))[0] == ("x", tones("ab").tolist())


def test_a_new_model_beside_the_old_one(corpus, run):
    before = open_model(run).get_weights()
    new = run / "new"
    assert self_train(run, new, options=SHORT, verbose=0) == new / "model.keras"
    assert {path.name for path in new.iterdir()} == {"model.keras", "config.json"}
    assert Config.load(new / "config.json") == CONFIG
    assert all(np.array_equal(*pair) for pair in zip(open_model(run).get_weights(), before, strict=True))
    changed = [not np.array_equal(*pair) for pair in zip(open_model(new).get_weights(), before, strict=True)]
    assert sum(changed) > len(changed) / 2
    assert evaluate(new, plots=0)["model"] == str(new)
    with pytest.raises(UserError, match="holds a run already: choose another folder with --run"):
        self_train(run, new, options=SHORT)


def test_what_it_learns_is_what_it_wrote_and_no_text_is_read(corpus, run, monkeypatch):
    """Each round learns the texts of the recogniser of then; those of the corpus are nonsense here."""
    learnt = []

    class Watched(LabelledAndKnown):
        def __init__(self, utterances, texts, known):
            learnt.append(list(texts))
            super().__init__(utterances, texts, known)

    written = iter([["a", "b"], ["c", "d"]])
    monkeypatch.setattr(self_training, "LabelledAndKnown", Watched)
    monkeypatch.setattr(
        self_training, "_written", lambda transcribe, utterances: (tuple(utterances), tuple(next(written)))
    )
    said = [{"audio": tones(text), "speaker": b"", "text": b"?"} for text in ("ab", "cd")]
    self_train(run, run / "new", lambda rate: said, options=SelfTrainingConfig(rounds=2, epochs=1), verbose=0)
    assert learnt == [["a", "b"], ["c", "d"]]


def test_nothing_recognised(corpus, run):
    silent = [{"audio": np.zeros(0, "int16"), "speaker": b"nobody"}] * 2
    with pytest.raises(UserError, match="Nothing was recognised in 2 recordings"):
        self_train(run, run / "new", lambda rate: silent, options=SHORT)
    assert not (run / "new").exists()


def test_the_command(corpus, run, capsys):
    assert main(["self-train", "--model", str(run), "--rounds", "1", "--epochs", "1"]) == 0
    assert f"The new model is in {run / 'self_trained' / 'model.keras'}" in capsys.readouterr().out
    assert main(["self-train", "--model", str(run), "--split", "none", "--run", str(run / "other")]) == 2
    assert "none" in capsys.readouterr().err
    assert main(["self-train", "missing.wav", "--model", str(run)]) == 2
    assert "missing.wav" in capsys.readouterr().err
