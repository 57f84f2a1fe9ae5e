"""The recurrent language model: what it is, how it learns, and its command."""

import math

import numpy as np
import pytest
from keras import ops

from demos.speech import commands
from demos.speech.cli import main
from demos.speech.config import DataConfig
from demos.speech.errors import UserError
from demos.speech.language_model import LanguageModel
from demos.speech.language_model_config import LanguageModelConfig
from demos.speech.language_model_files import open_language_model
from demos.speech.language_model_texts import Sentences, of_file, sentences
from demos.speech.language_model_training import batches, train_language_model
from demos.speech.text import Vocabulary
from keras_attn import BeamSearch
from tests.demos.speech import small_model
from tests.demos.speech.test_cli import refusal

VOCABULARY = Vocabulary(" abc")
SMALL = LanguageModelConfig(embedding=8, units=16, dropout=0.0, epochs=6, batch_size=16, learning_rate=0.02)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of `ab` said some times, its file and its perplexity."""
    path = tmp_path_factory.mktemp("language_model") / "lm.keras"
    texts = [" ".join(["ab"] * count) for count in (1, 2, 3, 4)] * 40
    perplexity = train_language_model(sentences(texts, texts[:8], VOCABULARY), VOCABULARY, path, SMALL, verbose=0)
    return open_language_model(path, VOCABULARY), perplexity


def log_probs_of_steps(model, tokens):
    state, scores = model.initial_state(len(tokens)), []
    for column in np.pad(tokens, [[0, 0], [1, 0]], constant_values=VOCABULARY.start).T:
        log_probs, state = model.step(ops.convert_to_tensor(column, "int32"), state)
        scores.append(log_probs)
    return ops.convert_to_numpy(ops.stack(scores, axis=1))


def test_steps_say_what_the_call_says():
    model = LanguageModel(VOCABULARY.symbols, embedding=4, units=6)
    tokens = np.array([[2, 3, 4, 5], [5, 3, 0, 0]], "int32")
    logits = model({"tokens": tokens, "num_tokens": np.array([4, 2], "int32")})
    log_probs = log_probs_of_steps(model, tokens)
    np.testing.assert_allclose(log_probs, ops.log_softmax(logits), atol=1e-6)
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, atol=1e-6)


def test_learns_what_is_said(trained):
    """Only whether another `ab` follows is left to chance: at most log 2 at every third token."""
    model, perplexity = trained
    assert perplexity < 1.4
    search = BeamSearch(model.step, end_token=VOCABULARY.end, beam_width=4, n_best=4, length_normalization=0)
    result = search([VOCABULARY.start], model.initial_state(1), max_length=14)
    texts = [VOCABULARY.decode(tokens) for tokens in ops.convert_to_numpy(result.tokens[0])]
    assert sorted(texts) == ["ab", "ab ab", "ab ab ab", "ab ab ab ab"]


def test_the_perplexity_is_that_of_the_steps(trained):
    model, perplexity = trained
    total = count = 0
    for text in ("ab", "ab ab", "ab ab ab", "ab ab ab ab"):
        ids = VOCABULARY.encode(text)
        log_probs = log_probs_of_steps(model, np.array([ids]))[0]
        total += log_probs[np.arange(len(ids) + 1), [*ids, VOCABULARY.end]].sum()
        count += len(ids) + 1
    np.testing.assert_allclose(np.exp(-total / count), perplexity, rtol=1e-4)


def test_padding_changes_nothing():
    model = LanguageModel(VOCABULARY.symbols, embedding=4, units=6)
    ids = [[2, 3, 4, 5, 3], [4]]
    together = next(iter(batches(ids, 2)))
    alone = [next(iter(batches([one], 1))) for one in ids]
    losses = [float(model.compute_loss(x=x, y_pred=model(x))) for x in (together, *alone)]
    np.testing.assert_allclose(losses[0], (losses[1] * 6 + losses[2] * 2) / 8, rtol=1e-6)


def test_long_sentences_are_learnt_in_parts():
    (batch,) = batches([[2] * 700, [3]], 4)
    assert batch["num_tokens"].numpy().tolist() == [300, 300, 100, 1] and batch["tokens"].shape == (4, 300)


def test_another_order_in_each_epoch():
    data = batches([[2 + i % 4] * (i + 1) for i in range(20)], 20, seed=1)
    first, second = (next(iter(data))["num_tokens"].numpy() for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(1, 21)) and (first != second).any()


def test_text_files(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\ufeffA b,  c!\n\nab d\n" + "c\n" * 20, "utf-8")
    found = of_file(path, VOCABULARY, DataConfig())
    assert found == Sentences([[3, 2, 4, 2, 5]] + [[5]] * 19, [[5]], 1)
    assert "1 left out, which the recogniser cannot write" in found.summary
    assert of_file(path, Vocabulary(" Abc"), DataConfig()).train[0] == [3, 2, 4, 2, 5]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Expected at least two sentences .* Received: 0 of 0"),
        (b"ab", "Received: 1 of 1"),
        (b"ab\nxyz\nb\n1 2 3", "Received: 2 of 4"),
        (b"ab\n\nb\xff\nc", "Expected a text file in UTF-8. Received: .*text.txt, line 3: "),
    ],
)
def test_text_files_with_nothing_to_learn(tmp_path, data, message):
    (tmp_path / "text.txt").write_bytes(data)
    with pytest.raises(UserError, match=message):
        of_file(tmp_path / "text.txt", VOCABULARY, DataConfig())


def test_numbers_beyond_all_bounds_leave_no_file(tmp_path, monkeypatch):
    def fit(model, data, callbacks, **options):
        callbacks[0].on_epoch_end(0, {"entropy": math.inf, "val_entropy": math.nan})

    monkeypatch.setattr(LanguageModel, "fit", fit)
    with pytest.raises(UserError, match="Nothing has been learnt; try a lower learning rate than 0.02"):
        train_language_model(sentences(["ab"], ["ab"], VOCABULARY), VOCABULARY, tmp_path / "x.keras", SMALL)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    small_model.make().save(folder / "model.keras")
    return folder


def test_the_command(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(commands, "load_tensorflow", lambda: None)
    (tmp_path / "text.txt").write_text("Abe\nbad deed\n" * 30)
    small = ["--epochs", "1", "--units", "4", "--embedding", "4"]
    assert main(["train-lm", "--model", str(run), "--text", str(tmp_path / "text.txt"), *small]) == 0
    out = capsys.readouterr().out
    assert "57 sentences to learn from" in out and f"{run / 'language_model.keras'}: perplexity" in out
    model = open_language_model(run / "language_model.keras", small_model.make().vocabulary)
    assert (model.units, model.embedding, model.dropout) == (4, 4, 0.2)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--model", "nowhere"], "Expected a run folder or a .keras file. Received: model='nowhere'"),
        (["--text", "nowhere.txt"], "nowhere.txt: No such file or directory"),
        (["--text", "a.txt", "--dataset", "b"], "argument --dataset: not allowed with argument --text"),
        (
            ["--text", "a.txt", "--output", "lm.h5"],
            "Expected the name of a file that ends in .keras. Received: output='lm.h5'",
        ),
        (["--output", "/dev/null/lm.keras"], "Cannot write /dev/null/lm.keras: Not a directory"),
        (["--epochs", "0"], "argument --epochs: expected a number of at least 1, received 0"),
        ([], "There is no config.json beside"),
    ],
)
def test_the_command_refuses_in_one_line(run, capsys, monkeypatch, options, line):
    monkeypatch.setattr(commands, "load_tensorflow", lambda: None)
    assert refusal(capsys, "train-lm", "--model", run, *options).startswith(line)
