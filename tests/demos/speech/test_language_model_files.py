"""Opening language models of every kind, as a decoder of the recogniser takes them."""

import math

import keras
import numpy as np
import pytest

from demos.speech.errors import UserError
from demos.speech.language_model import LanguageModel
from demos.speech.language_model_files import arpa_names, open_language_model
from demos.speech.text import Vocabulary
from keras_attn import NGramScorer, WordNGramScorer
from tests.ngram_by_hand import arpa, log_prob_of_sentence, random_ngrams

VOCABULARY = Vocabulary(" abc")


def total(scorer, text):
    """The log probability of a text and its end."""
    ids = [*VOCABULARY.encode(text), VOCABULARY.end]
    state, score = scorer.initial_state(1), 0.0
    for last, token in zip([VOCABULARY.start, *ids], ids, strict=False):
        log_probs, state = scorer.step(np.array([last], "int32"), state)
        score += float(log_probs[0, token])
    return score


def test_ngrams_of_tokens(tmp_path):
    ngrams = random_ngrams(1, arpa_names(VOCABULARY)[2:], order=3)
    (tmp_path / "lm.arpa").write_text(arpa(ngrams))
    scorer = open_language_model(tmp_path / "lm.arpa", VOCABULARY)
    assert isinstance(scorer, NGramScorer)
    expected = log_prob_of_sentence(ngrams, ["a", "b", "<space>", "c", "c"])
    assert math.isclose(total(scorer, "ab cc"), expected, rel_tol=1e-5)


def test_ngrams_of_words(tmp_path):
    ngrams = random_ngrams(1, ["ab", "cc", "a", "<unk>"], order=2)
    (tmp_path / "lm.arpa").write_text(arpa(ngrams))
    scorer = open_language_model(str(tmp_path / "lm.arpa"), VOCABULARY)
    assert isinstance(scorer, WordNGramScorer)
    expected = log_prob_of_sentence(ngrams, ["cc", "ab", "bbb", "a"])
    assert math.isclose(total(scorer, "cc ab bbb a"), expected, rel_tol=1e-5)


def test_a_recurrent_one(tmp_path):
    model = LanguageModel(VOCABULARY.symbols, embedding=2, units=3)
    model.save(tmp_path / "lm.keras")
    assert total(open_language_model(tmp_path / "lm.keras", VOCABULARY), "ab") == total(model, "ab")


def test_what_is_no_language_model_of_the_recogniser(tmp_path):
    LanguageModel(VOCABULARY.symbols, embedding=2, units=3).save(tmp_path / "lm.keras")
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    (tmp_path / "noise.keras").write_text("noise")
    (tmp_path / "noise.arpa").write_text("\\data\\\nnoise")
    (tmp_path / "endless.arpa").write_text(arpa({("a",): (-1.0, 0.0)}))
    messages = {
        "lm.keras": "Expected a language model of the tokens of the recogniser. Received: .*lm.keras, of ' abc'",
        "other.keras": "Expected a .keras file made by train-lm. .* holds a Sequential",
        "noise.keras": "Expected a .keras file made by train-lm. .* is damaged or none",
        "noise.arpa": "noise.arpa, line 2: expected ngram 1=. Received: 'noise'",
        "endless.arpa": "Expected the end of a sentence, </s>, among the 1-grams of .*endless.arpa",
        "nothing.arpa": "Expected a language model, a .keras or an ARPA file. Received: .*, which is no file",
    }
    for name, message in messages.items():
        with pytest.raises(UserError, match=message):
            open_language_model(tmp_path / name, Vocabulary(" abcd"))
