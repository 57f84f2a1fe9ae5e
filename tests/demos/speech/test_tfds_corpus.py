"""Any TFDS dataset: features and splits are found or named, and what comes out is what the dataset holds."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from demos.speech import corpora
from demos.speech.datasets.tfds_features import find_features, to_samples, to_text
from demos.speech.datasets.tfds_splits import choose_splits
from demos.speech.errors import UserError
from tests.demos.speech.small_model import sound

F = tfds.features
RATE = 8000


def features(**kinds):
    made = {
        "audio": lambda: F.Audio(sample_rate=RATE),
        "text": F.Text,
        "label": lambda: F.ClassLabel(names=["no", "oh_yes"]),
        "labels": lambda: F.Sequence(F.ClassLabel(names=["no", "oh_yes"])),
        "string": lambda: F.Scalar(np.str_),
        "number": lambda: F.Scalar(np.int64),
    }
    return F.FeaturesDict({name: made[kind]() for name, kind in kinds.items()})


# --- features


@pytest.mark.parametrize(
    ("kinds", "keys", "found"),
    [
        # As LibriSpeech, LJSpeech, spoken_digit and yes_no have them.
        ({"speech": "audio", "text": "text", "speaker_id": "number", "id": "string"}, ("speech", "text"), "text"),
        ({"speech": "audio", "text": "text", "plain": "text"}, ("plain", "speech"), "plain"),
        ({"speech": "audio", "label": "label", "audio/filename": "text"}, ("speech", "label"), "label"),
        ({"speech": "audio", "label": "labels", "audio/filename": "text"}, ("speech", "label"), "label"),
        # By type alone.
        ({"speech": "audio", "said": "text", "gender": "label", "id": "string"}, None, "said"),
        ({"speech": "audio", "said": "labels", "gender": "label"}, None, "said"),
        ({"speech": "audio", "said": "label", "n": "number"}, ("n", "said"), "said"),
    ],
)  # fmt: skip
def test_features_are_found(kinds, keys, found):
    assert find_features(features(**kinds), keys) == ("speech", found)


def test_features_can_be_named():
    some = features(a="audio", b="audio", c="text", d="string", e="number")
    assert find_features(some, ("a", "c"), audio="b", text="d") == ("b", "d")


@pytest.mark.parametrize(
    ("kinds", "named", "message"),
    [
        ({"a": "audio", "b": "audio", "t": "text"}, {}, "--audio-feature. Received: a (audio), b (audio)"),
        ({"a": "audio", "s": "text", "t": "text"}, {}, "name it with --text-feature. Received: s (text), t (text)"),
        ({"a": "audio", "s": "string"}, {}, "name it with --text-feature. Received: s (string)"),
        ({"t": "text"}, {}, "Expected one feature of audio; name it with --audio-feature. Received: none"),
        ({"a": "audio", "t": "text"}, {"text": "u"}, "Expected --text-feature among: t (text). Received: 'u'"),
        ({"a": "audio", "t": "text"}, {"audio": "t"}, "Expected --audio-feature among: a (audio). Received: 't'"),
    ],
)  # fmt: skip
def test_features_that_are_not_clear(kinds, named, message):
    with pytest.raises(UserError) as error:
        find_features(features(**kinds), None, **named)
    assert message in str(error.value)


def test_labels_become_words():
    some = features(one="label", many="labels", text="text")
    assert to_text(some["one"], tf.constant(1)) == b"oh yes"
    assert to_text(some["many"], tf.constant([1, 0, 1])) == b"oh yes no oh yes"
    assert to_text(some["many"], tf.zeros([0], "int64")) == b""
    assert to_text(some["text"], tf.constant("ja")) == b"ja"


def test_samples_of_any_kind():
    samples = (3000 * sound(0.5)).astype("int64")
    np.testing.assert_array_equal(to_samples(samples, RATE, RATE), samples)
    np.testing.assert_array_equal(to_samples(samples / 32768, RATE, RATE), samples)
    np.testing.assert_array_equal(
        to_samples(np.stack([samples, 0 * samples + 2], 1), RATE, RATE), np.rint(samples / 2 + 1)
    )
    np.testing.assert_array_equal(to_samples([70000, -70000], RATE, RATE), [32767, -32768])
    assert len(to_samples(samples, RATE, 16000)) == 2 * len(samples)


# --- splits


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (["train", "validation", "test"], "train, validation, test"),
        (["test", "train", "dev"], "train, dev, test"),
        (["train"], "train[0%:80%], train[80%:90%], train[90%:100%]"),
        (["full"], "full[0%:80%], full[80%:90%], full[90%:100%]"),
        (["train", "validation"], "train[0%:90%], validation, train[90%:100%]"),
        (["train_a", "train_b", "test"], "train_a[0%:90%]+train_b[0%:90%], train_a[90%:100%]+train_b[90%:100%], test"),
        (["dev_clean", "dev_other", "test_clean", "train_100"], "train_100, dev_clean+dev_other, test_clean"),
    ],
)
def test_splits_of_every_dataset(known, expected):
    assert ", ".join(choose_splits(known).values()) == expected


def test_splits_can_be_given():
    assert choose_splits(["train", "test"], "train[:40]", "train[40:45]", "train[45:]")["train"] == "train[:40]"
    assert choose_splits(["train", "dev", "test"], train="train[:5%]") == {
        "train": "train[:5%]", "validation": "dev", "test": "test",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("known", "given", "message"),
    [
        (["train"], {"train": "train[:40]"}, "Expected --validation-split, too"),
        (["train", "dev"], {"test": "train[90%:]"}, "Expected --train-split, too"),
        (["train", "test"], {"train": "train+test[:5]", "validation": "test[5:10]"}, "Expected --test-split, too"),
        (["a", "b"], {}, "Expected --train-split, --validation-split and --test-split. The splits: a, b"),
    ],
)
def test_nothing_is_tested_on_what_was_trained_on_by_accident(known, given, message):
    with pytest.raises(UserError, match=message):
        choose_splits(known, **given)


# --- the corpus


class TinySpeech(tfds.core.GeneratorBasedBuilder):
    """Twenty utterances, the i-th of (i + 1) / 10 seconds."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=features(wave="audio", said="text", speaker_id="number"))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(20):
            yield i, {"wave": np.full(800 * (i + 1), i, "int64"), "said": f"Nummer {i}, bitte!", "speaker_id": i}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


def get(data_dir, **options):
    return corpora.get("tfds:tiny_speech", data_dir, **options)


def test_what_comes_out_is_what_the_dataset_holds(data_dir):
    corpus = get(data_dir)
    assert (corpus.sample_rate, [corpus.size(split) for split in corpus.splits]) == (RATE, [16, 2, 2])
    found = [e for split in corpus.splits for e in corpus.utterances(split).as_numpy_iterator()]
    assert len({e["id"] for e in found}) == 20
    for e in found:
        number = int(e["speaker"])
        assert e["text"].decode() == f"Nummer {number} bitte"
        np.testing.assert_array_equal(e["audio"], np.full(800 * (number + 1), number))
        assert e["audio"].dtype == np.int16 and e["words"]["text"].tolist() == []
    inside = tf.data.Dataset.range(1).flat_map(lambda _: corpus.utterances("test", seed=0, epoch=tf.constant(1)))
    assert [e["id"] for e in inside] == [e["id"] for e in corpus.utterances("test")]


def test_options(data_dir, capfd):
    corpus = get(data_dir, lowercase=True, keep_punctuation=True, sample_rate=16000, max_seconds=1.0)
    assert "tfds:tiny_speech: left out 10 of 20 utterances, longer than 1 s" in capfd.readouterr().err
    assert sum(map(corpus.size, corpus.splits)) == 10
    lengths = {}
    for e in (e for split in corpus.splits for e in corpus.utterances(split).as_numpy_iterator()):
        assert e["text"].decode() == f"nummer {int(e['speaker'])}, bitte!"
        lengths[int(e["speaker"])] = len(e["audio"])
    assert lengths == {i: 1600 * (i + 1) for i in range(10)}
    corpus = get(data_dir, train_split="train[:12]", validation_split="train[12:15]", test_split="train[15:]")
    assert [corpus.size(split) for split in corpus.splits] == [12, 3, 5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_seconds": 0.2, "train_split": "train[:1]", "validation_split": "train[1:2]", "test_split": "train[2:]"},
         r"Expected utterances in each part of tfds:tiny_speech. Received: none for"),
        ({"train_split": "x", "validation_split": "train", "test_split": "train"}, r"train \(20\). Received: 'x'"),
        ({"train_split": "train[", "validation_split": "train", "test_split": "train"}, r"Received: 'train\['"),
        ({"text_feature": "wave"}, r"Expected --text-feature among: said \(text\). Received: 'wave'"),
        ({"skip_bad": True}, "Expected options of tfds:tiny_speech: .*. Received: skip_bad"),
    ],
)  # fmt: skip
def test_what_cannot_be(data_dir, options, message):
    with pytest.raises(UserError, match=message) as error:
        get(data_dir, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["tfds:no_such_speech", "tfds:tiny_speech/no_such_config", "tfds:", "tfds:a b"])
def test_no_such_dataset(data_dir, name):
    with pytest.raises(UserError, match="Expected tfds:NAME or tfds:NAME/CONFIG, a dataset of TFDS. ") as error:
        corpora.get(name, data_dir)
    assert "\n" not in str(error.value)


def test_what_cannot_be_downloaded(monkeypatch, tmp_path):
    def fail(*_):
        raise tfds.download.DownloadError("404")

    monkeypatch.setattr(TinySpeech, "_split_generators", fail)
    with pytest.raises(UserError, match="Cannot download tiny_speech. It can be built where there is a network, and "):
        get(tmp_path)
    monkeypatch.setattr(TinySpeech, "_generate_examples", lambda _: (_ for _ in "a"))
    monkeypatch.setattr(TinySpeech, "_split_generators", lambda *_: 1 / 0)
    with pytest.raises(UserError, match="Cannot build tiny_speech/1.0.0 in .*: division by zero"):
        get(tmp_path)
