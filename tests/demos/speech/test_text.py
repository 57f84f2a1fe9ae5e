"""Vocabulary: Python and graph agree, whatever the script."""

import json

import numpy as np
import pytest
import tensorflow as tf

from demos.speech import vocabularies
from demos.speech.errors import UserError
from demos.speech.text import Vocabulary

TEXTS = ["call home at 7:30", "", "naïve café", "Ελλάδα 中文 😀", "e\u0301 decomposed"]


@pytest.fixture
def vocabulary():
    return Vocabulary.from_texts(TEXTS)


def test_round_trip(vocabulary):
    for text in TEXTS[:4]:
        assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.decode(vocabulary.encode(TEXTS[4])) == "é decomposed"


def test_ids(vocabulary):
    assert vocabulary.symbols[:2] == ("<end>", "<start>")
    assert (vocabulary.end, vocabulary.start, vocabulary.blank) == (0, 1, 1)
    ids = {i for text in TEXTS for i in vocabulary.encode(text)}
    assert ids == set(range(2, len(vocabulary)))
    assert len(vocabulary.symbols) == len(vocabulary) == len(set(vocabulary.symbols))


def test_decode_stops_at_the_end(vocabulary):
    assert vocabulary.decode([1, *vocabulary.encode("call"), 0, *vocabulary.encode("home")]) == "call"


def test_json_round_trip(vocabulary):
    again = vocabularies.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert again == vocabulary and hash(again) == hash(vocabulary)
    assert again != Vocabulary("ab")


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def encode_in_graph(texts):
    return Vocabulary.from_texts(TEXTS).encode_tensor(texts)


def test_encode_tensor_equals_encode(vocabulary):
    texts = TEXTS[:4]
    tokens, lengths = encode_in_graph(tf.constant(texts))
    assert (tokens.dtype, lengths.dtype) == (tf.int32, tf.int32)
    for text, row, length in zip(texts, tokens.numpy(), lengths.numpy(), strict=True):
        assert row[:length].tolist() == vocabulary.encode(text)
        assert not row[length:].any()


def test_in_a_dataset_one_by_one(vocabulary):
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS[:4]).map(vocabulary.encode_tensor)
    for text, (tokens, length) in zip(TEXTS[:4], dataset, strict=True):
        assert tokens.numpy().tolist() == vocabulary.encode(text)
        assert length == len(text)


def test_decode_tensor_equals_decode_after_export(vocabulary, tmp_path):
    module = tf.Module()
    spec = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
    module.decode = tf.function(vocabulary.decode_tensor, input_signature=spec)
    tf.saved_model.save(module, tmp_path)
    tokens, lengths = vocabulary.encode_tensor(TEXTS[:4])
    dirty = tf.where(tf.sequence_mask(lengths, tokens.shape[1]), tokens, 5)
    texts = tf.saved_model.load(tmp_path).decode(dirty, lengths)
    assert [text.decode() for text in texts.numpy()] == TEXTS[:4]
    assert vocabulary.decode_tensor(np.zeros((2, 0), "int32"), [0, 0]).numpy().tolist() == [b"", b""]


def test_unknown_characters_are_named():
    vocabulary = Vocabulary("abc")
    with pytest.raises(UserError, match=r"vocabulary 'abc'\. Received: character='ü' in text='abü'"):
        vocabulary.encode("abü")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)vocabulary .*Received:.*d"):
        vocabulary.encode_tensor(["ab", "d"])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)vocabulary .*Received:.*d"):
        list(tf.data.Dataset.from_tensors("bad").map(vocabulary.encode_tensor))
    with pytest.raises(ValueError, match=r"Expected ids in \[0, 5\). Received: ids=\[2, 5\]"):
        vocabulary.decode([2, 5])


@pytest.mark.parametrize("characters", ["", "ba", "aa", "\u212b"])
def test_bad_characters_are_refused(characters):
    with pytest.raises(ValueError, match="each once and sorted"):
        Vocabulary(characters)


def test_from_no_texts_is_refused():
    with pytest.raises(ValueError, match="Received: characters=''"):
        Vocabulary.from_texts([])
