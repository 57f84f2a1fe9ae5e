"""Evaluation, with transcripts and alignments that are planted, so that every figure is known."""

import json
import re

import keras
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from demos.speech import evaluation
from demos.speech.errors import UserError
from demos.speech.evaluation_table import format_table
from demos.speech.text import Vocabulary
from demos.speech.word_times import matching_words
from tests.demos.speech import tone_words
from tests.demos.speech.planted import (
    planted_transcriber,
    references,
    save_model,
)


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def run(model_folder, tmp_path, monkeypatch):
    """A run folder, and a corpus and a recogniser to go with it."""
    for name in ("config.json", "model.keras"):
        (tmp_path / name).symlink_to(model_folder / name)
    tone_words.install(monkeypatch)
    monkeypatch.setattr(evaluation, "search_of", lambda *_: planted_transcriber({}))
    return tmp_path


def test_planted_alignments_have_the_errors_that_were_planted(run):
    results = evaluation.evaluate(run)
    assert results["wer"] == results["cer"] == results["sentence_error_rate"] == 0 and results["worst"] == []
    assert results["utterances"] == 6 and results["words"] == results["correct_words"] == len(
        " ".join(references()).split()
    )
    # Of a span of 200 ms, 10 % are cut off at each end: the starts are 40 + 20 ms late, the ends 40 - 20 ms.
    assert results["boundary_error_ms"] == pytest.approx(40, abs=0.1)
    assert results["boundary_error_p95_ms"] == pytest.approx(60, abs=0.1)
    assert results["mass_inside"] == pytest.approx(0.8, abs=1e-3)
    assert results["alignment_error_rate"] == 0
    assert results["monotonicity"] == pytest.approx(1.0)
    assert results["unfinished"] == 0


def test_edits_are_counted(run, monkeypatch):
    said = references()
    texts = {0: said[0].replace(" ", " mi ", 1), 2: said[2].rpartition(" ")[0], 4: ""}
    monkeypatch.setattr(evaluation, "search_of", lambda *_: planted_transcriber(texts))
    results = evaluation.evaluate(run, plots=2)
    missing = 1 + len(said[4].split())
    assert (results["substitutions"], results["insertions"], results["deletions"]) == (0, 1, missing)
    assert results["wer"] == pytest.approx((1 + missing) / results["words"])
    assert results["sentence_error_rate"] == pytest.approx(3 / 6)
    assert [one["reference"] for one in results["worst"]] == [
        said[4],
        said[0] if len(said[0]) <= len(said[2]) else said[2],
    ]
    assert results["worst"][0]["wer"] == 1 and results["worst"][0]["hypothesis"] == ""


def test_what_is_written(run):
    (run / "plots" / "evaluation").mkdir(parents=True)
    (run / "plots" / "evaluation" / "worst_1_old.png").write_text("of an evaluation before")
    results = evaluation.evaluate(run / "model.keras", decoding={"beam_width": 2})
    assert json.loads((run / "evaluation.json").read_text()) == results
    assert results["dataset"] == "tone_words" and results["split"] == "test" and results["decoding"]["beam_width"] == 2
    assert results["real_time_factor"] == pytest.approx(results["seconds"] / results["audio_seconds"])
    plots = [one["plot"] for one in results["ordinary"]]
    assert sorted(plots) == sorted(map(str, (run / "plots" / "evaluation").iterdir())) and len(plots) == 3


def test_without_true_times_there_are_no_errors_of_them(run, monkeypatch):
    def without_times(name=None, data_dir=None):
        corpus = tone_words.ToneWords()
        for split, dataset in corpus._datasets.items():
            corpus._datasets[split] = dataset.map(lambda one: {key: one[key] for key in one if key != "words"})
        return corpus

    tone_words.install(monkeypatch, without_times)
    results = evaluation.evaluate(run, plots=0)
    assert results["boundary_error_ms"] is None and results["mass_inside"] is None and results["ordinary"] == []
    assert "boundary error" not in format_table(results)


def test_the_table_says_what_matters(run, monkeypatch, capsys):
    monkeypatch.setattr(evaluation, "search_of", lambda *_: planted_transcriber({1: "fa"}))
    results = evaluation.evaluate(run)
    assert capsys.readouterr().out == ""
    evaluation.print_table(results)
    table = capsys.readouterr().out
    assert "tone_words, test: 6 utterances" in table
    assert re.search(rf"word error rate +{results['wer']:.2%}", table)
    assert re.search(r"boundary error +40 ms", table) and re.search(r"mass inside +80.0%", table)
    worst = table.split("The worst utterances")[1]
    assert f"said        {references()[1]}" in worst and "recognised  fa\n" in worst and "worst_1_test_1.png" in worst


def test_a_search_that_was_cut_is_counted(run, monkeypatch):
    monkeypatch.setattr(evaluation, "search_of", lambda *_: planted_transcriber({3: "d" * 60}))
    results = evaluation.evaluate(run, plots=0)
    assert results["unfinished"] == 1 and "unfinished" in format_table(results)


def test_no_run(tmp_path):
    with pytest.raises(UserError, match="which does not exist"):
        evaluation.evaluate(tmp_path / "none")


def test_no_configuration(run):
    (run / "config.json").unlink()
    with pytest.raises(UserError, match=r"Cannot read the configuration .*config.json"):
        evaluation.evaluate(run)


def test_a_model_that_is_none(run):
    (run / "model.keras").unlink()
    (run / "model.keras").write_text("no model")
    with pytest.raises(UserError, match="Expected a .keras file made by train") as caught:
        evaluation.evaluate(run)
    assert "\n" not in str(caught.value)


def test_another_kind_of_model(run):
    (run / "model.keras").unlink()
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(run / "model.keras")
    with pytest.raises(UserError, match="which holds a Sequential"):
        evaluation.evaluate(run)


def test_another_vocabulary(tmp_path, monkeypatch):
    tone_words.install(monkeypatch)
    save_model(tmp_path, Vocabulary("adefor"))
    with pytest.raises(UserError, match="tone_words has characters that the model cannot write: ' ' 'i' 'm'"):
        evaluation.evaluate(tmp_path)


def test_loops_and_the_worth_of_the_confidence(run, monkeypatch):
    texts = {2: "do " * 7 + "re", 4: " ".join(["fa"] * 8)}

    def doubtful(transcribe):
        def doubt(waveform, num_samples):
            output = transcribe(waveform, num_samples)
            sure = 0.9 - 0.8 * tf.cast(output["words"] == "do", "float32")
            return output | {"word_confidence": tf.where(output["words"] == "fa", 0.5, sure)}

        return doubt

    monkeypatch.setattr(evaluation, "search_of", lambda *_: doubtful(planted_transcriber(texts)))
    results = evaluation.evaluate(run, plots=0)
    assert results["looped"] == 2 and "looped" in format_table(results)
    scores, right = [], []
    for number, said in enumerate(references()):
        heard = texts.get(number, said).split()
        true = {j for _, j in matching_words(said.split(), heard)}
        scores += [{"do": 0.1, "fa": 0.5}.get(word, 0.9) for word in heard]
        right += [j in true for j in range(len(heard))]
    sure, unsure = (np.array(scores)[np.array(right) == one] for one in (True, False))
    pairs = [(a > b) + (a == b) / 2 for a in sure for b in unsure]
    assert results["confidence_auc"] == pytest.approx(np.mean(pairs)) and 0 < np.mean(pairs) < 1


def test_the_words_of_phrases_are_counted_by_themselves(run, monkeypatch):
    said = references()
    texts = {0: said[0] + " do", 1: said[1].replace(said[1].split()[0], "mi", 1)}
    given = []
    monkeypatch.setattr(
        evaluation, "search_of", lambda _, __, phrases, ___: given.append(phrases) or planted_transcriber(texts)
    )
    results = evaluation.evaluate(run, plots=0, phrases=("do re", "re"))
    assert given == [("do re", "re")]
    words = " ".join(said).split()
    favoured = sum(word in ("do", "re") for word in words)
    wrong = 1 + (
        said[1].split()[0] in ("do", "re")
    )  # what was put in, and perhaps what was put in the place of another
    edits = results["substitutions"] + results["insertions"] + results["deletions"]
    assert results["phrase_words"] == favoured and results["phrase_wer"] == pytest.approx(wrong / favoured)
    assert results["other_wer"] == pytest.approx((edits - wrong) / (len(words) - favoured))
    assert "words of phrases" in format_table(results)


def test_adapted_to_each_speaker(model_folder, monkeypatch, tmp_path):
    for name in ("config.json", "model.keras"):
        (tmp_path / name).symlink_to(model_folder / name)
    tone_words.install(monkeypatch)
    plain = evaluation.evaluate(tmp_path, plots=0)
    results = evaluation.evaluate(tmp_path, plots=0, adapt=True)
    assert results["unadapted_wer"] == plain["wer"] and "frequency_warps" not in plain
    assert set(results["frequency_warps"]) == {"s"} and 0.9 <= results["frequency_warps"]["s"] <= 1.1
    assert "not adapted" in format_table(results) and json.loads((tmp_path / "evaluation.json").read_text()) == results


def test_another_sample_rate(run, monkeypatch):
    tone_words.install(monkeypatch, lambda name=None, data_dir=None: tone_words.ToneWords(sample_rate=16000))
    _, _, corpus = evaluation.open_evaluation(run, "test")
    (heard, _), (own, _) = (
        one.utterances("test").take(2).as_numpy_iterator() for one in (corpus, tone_words.ToneWords())
    )
    assert corpus.sample_rate == 8000 and abs(len(heard["audio"]) - len(own["audio"])) <= 1
    assert heard["words"]["end"].tolist() == pytest.approx(own["words"]["end"].tolist(), abs=1e-3)


def test_no_such_split(run):
    with pytest.raises(UserError, match="train, validation, test. Received: split='dev'"):
        evaluation.evaluate(run, split="dev")


def test_the_worst_are_not_drawn_twice(run, monkeypatch):
    texts = dict(enumerate(["do"] * 6))
    monkeypatch.setattr(evaluation, "search_of", lambda *_: planted_transcriber(texts))
    monkeypatch.setattr("demos.speech.evaluation_plots.draw_transcript", lambda path, *_: path.touch())
    results = evaluation.evaluate(run, plots=6)
    assert len(results["worst"]) == 6 and results["ordinary"] == []
    wers = [one["wer"] for one in results["worst"]]
    assert wers == sorted(wers, reverse=True)


def test_other_data_are_brought_to_the_rate_of_the_model_and_written_as_its_own(model_folder, tmp_path):
    config = json.loads((model_folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"test_speaker": "s", "data": {"lowercase": True}}))
    (tmp_path / "model.keras").symlink_to(model_folder / "model.keras")
    for split in ("train", "validation", "test"):
        soundfile.write(tmp_path / f"{split}.wav", 0.1 * np.sin(np.arange(32000) / 9), 16000)
    rows = [f"{split}.wav\tDo RE\t{split}" for split in ("train", "validation", "test")]
    (tmp_path / "other.tsv").write_text("\n".join(["path\ttext\tsplit", *rows]) + "\n")
    _, _, corpus = evaluation.open_evaluation(tmp_path, "test", tmp_path, dataset=f"manifest:{tmp_path}/other.tsv")
    (utterance,) = corpus.utterances("test").as_numpy_iterator()
    assert corpus.sample_rate == 8000 and len(utterance["audio"]) == 16000
    assert utterance["text"] == b"do re"
