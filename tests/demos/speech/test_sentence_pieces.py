"""Pieces of words: the interface of all tokens, whatever the script, and a model that writes them."""

import json

import keras
import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from demos.speech import vocabularies
from demos.speech.config import Config
from demos.speech.decoder import Decoder
from demos.speech.decoding import DecodingConfig
from demos.speech.errors import UserError
from demos.speech.export import export
from demos.speech.model import ListenAttendSpell
from demos.speech.sentence_pieces import SentencePieces
from tests.demos.speech.small_model import RATE, batch, sound

TEXTS = ["call home now", "call the office", "turn the light on", "你好 世界", "Grüße aus Köln", "हिन्दी", "😀"]


@pytest.fixture(scope="module")
def pieces():
    return SentencePieces.from_texts(TEXTS * 3, 70)


def test_round_trip_in_python_and_in_the_graph(pieces):
    for text in TEXTS:
        assert pieces.decode(pieces.encode(text)) == text
    tokens, lengths = pieces.encode_tensor(TEXTS)
    assert (tokens.dtype, lengths.dtype) == (tf.int32, tf.int32)
    assert [text.decode() for text in pieces.decode_tensor(tokens, lengths).numpy()] == TEXTS
    for text, row, length in zip(TEXTS, tokens.numpy(), lengths.numpy(), strict=True):
        assert row[:length].tolist() == pieces.encode(text) and not row[length:].any()


def test_ids(pieces):
    assert pieces.symbols[:3] == ("<end>", "<start>", "<unk>") and len(pieces) == 70
    assert {*range(3)}.isdisjoint(i for text in TEXTS for i in pieces.encode(text))
    assert set(pieces.characters) == set("".join(TEXTS))
    assert sum(len(pieces.encode(text)) for text in TEXTS[:3]) < sum(map(len, TEXTS[:3])) / 2  # pieces, not characters
    assert pieces.decode([1, *pieces.encode("call"), 0, *pieces.encode("home")]) == "call"


def test_against_sentencepiece_itself(pieces):
    import base64

    peer = sentencepiece.SentencePieceProcessor(model_proto=base64.b64decode(pieces.model))
    random = np.random.default_rng(0)
    for _ in range(20):
        ids = random.integers(3, len(pieces), 6).tolist()
        # sentencepiece takes away the space that it put before the first word, nothing else.
        assert pieces.decode(ids) == peer.decode(ids)
        assert pieces.decode_tensor([ids], [6]).numpy()[0].decode() == peer.decode(ids)


def test_words_in_the_graph(pieces):
    from demos.speech.words import word_ids, word_texts

    tokens, lengths = pieces.encode_tensor(["the turn", "aus 世界 home"])
    ids, counts = word_ids(tokens, lengths, pieces)
    assert counts.numpy().tolist() == [2, 3]
    texts = [[text.decode() for text in row] for row in word_texts(tokens, ids, 3, pieces).numpy()]
    assert texts == [["the", "turn", ""], ["aus", "世界", "home"]]


def test_in_a_dataset_one_by_one(pieces):
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS).map(pieces.encode_tensor)
    assert [spec.shape.as_list() for spec in dataset.element_spec] == [[None], []]
    for text, (tokens, length) in zip(TEXTS, dataset, strict=True):
        assert tokens.numpy().tolist() == pieces.encode(text) and length == len(pieces.encode(text))


def test_json_and_the_same_again(pieces):
    assert vocabularies.from_dict(json.loads(json.dumps(pieces.to_dict()))) == pieces
    assert SentencePieces.from_texts(TEXTS * 3, 70) == pieces
    assert vocabularies.make(Config().replace(tokens="bpe", vocabulary=70), TEXTS * 3) == pieces


def test_sizes(pieces):
    assert len(SentencePieces.from_texts(["ab"], 5000)) < 10  # there is no more
    with pytest.raises(
        UserError, match=r"at least \d+ tokens, as many as there are characters. Received: vocabulary=9"
    ):
        SentencePieces.from_texts(TEXTS, 9)
    with pytest.raises(UserError, match="Expected texts. Received"):
        SentencePieces.from_texts([], 9)
    with pytest.raises(UserError, match="Expected tokens among characters, bpe. Received: tokens='words'"):
        Config().replace(tokens="words")


def test_what_cannot_be_written_is_named(pieces):
    with pytest.raises(UserError, match=r"Received: \['z'\] in text='the zoo'"):
        pieces.encode("the zoo")
    with pytest.raises(tf.errors.OpError, match="(?s)Received: .*z"):
        list(tf.data.Dataset.from_tensors("the zoo").map(pieces.encode_tensor))


def test_a_model_of_pieces_is_saved_and_exported(pieces, tmp_path):
    keras.utils.set_random_seed(1)
    model = ListenAttendSpell(pieces, {"sample_rate": RATE, "bands": 16}, {"units": 8}, {"embedding": 6, "units": 12})
    model.set_weights([4 * weight if weight.ndim > 1 else weight for weight in model.get_weights()])
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").vocabulary == pieces
    sounds = batch([sound(1.0), sound(0.6, seed=1)])
    expected = Decoder(model, DecodingConfig(beam_width=1))(*sounds)
    assert expected["text"].numpy()[0]
    export(tmp_path / "model.keras", tmp_path / "saved", {"beam_width": 1})
    loaded = tf.saved_model.load(tmp_path / "saved")
    result = loaded.signatures["serving_default"](waveform=tf.constant(sounds[0]), num_samples=tf.constant(sounds[1]))
    for name in ("text", "tokens", "words"):
        np.testing.assert_array_equal(result[name], expected[name])
    (asset,) = (tmp_path / "saved/assets").iterdir()
    assert sentencepiece.SentencePieceProcessor(model_file=str(asset)).encode(TEXTS[0]) == pieces.encode(TEXTS[0])
