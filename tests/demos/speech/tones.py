"""A made-up corpus that a recogniser learns within seconds: every letter is a tone, every blank a silence."""

import numpy as np
import tensorflow as tf

from demos.speech.config import Config
from demos.speech.text import Vocabulary
from demos.speech.training import make_model

SAMPLE_RATE = 8000
LETTER_SECONDS = 0.12
VOCABULARY = Vocabulary(" abcd")
TINY = Config().replace(
    dataset="tones",
    features={"bands": 16},
    listener={"stack": 2, "levels": 2, "units": 16, "dropout": 0.1},
    speller={"embedding": 8, "units": 24, "dropout": 0.1, "scorer": "location_aware"},
    training={"epochs": 4, "batch_size": 4, "learning_rate": 0.01, "patience": 4, "seed": 3},
)


def tones(text):
    """The samples of a text, int16."""
    time = np.arange(round(LETTER_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    parts = [0.5 * np.sin(2 * np.pi * 600 * VOCABULARY.characters.index(letter) * time) for letter in text]
    return np.round(32767 * np.concatenate([np.zeros(0), *parts])).astype("int16")


def padded(audios, dtype="float32"):
    """A batch of audios: `waveform` and `num_samples`."""
    audios = list(audios)
    waveform = np.zeros((len(audios), max(map(len, audios))), "float32")
    for row, audio in zip(waveform, audios, strict=True):
        row[: len(audio)] = audio / 32768
    return waveform.astype(dtype), np.array([len(audio) for audio in audios], "int32")


def batch_of(texts):
    """What the model takes, of the texts."""
    waveform, num_samples = padded([tones(text) for text in texts])
    tokens, num_tokens = (np.asarray(x) for x in VOCABULARY.encode_tensor(texts))
    return {"waveform": waveform, "num_samples": num_samples, "tokens": tokens, "num_tokens": num_tokens}


def tiny_model(config=TINY, steps=100):
    return make_model(config, VOCABULARY, SAMPLE_RATE, steps)


def random_texts(count, seed=0, lengths=(2, 6)):
    random = np.random.default_rng(seed)
    return ["".join(random.choice(list("abcd"), random.integers(*lengths))) for _ in range(count)]


class Tones:
    """A corpus, as `demos.speech.corpora` describes it, of the texts of each split."""

    name = "tones"
    sample_rate = SAMPLE_RATE
    splits = ("train", "validation", "test")

    def __init__(self, train=None, validation=None):
        train = random_texts(22, seed=1) if train is None else train
        validation = random_texts(6, seed=2) if validation is None else validation
        self.texts = {"train": train, "validation": validation, "test": validation}

    def size(self, split):
        return len(self.texts[split])

    def utterances(self, split, seed=0, epoch=0):
        texts = self.texts[split]
        audio = tf.RaggedTensor.from_row_lengths(
            np.concatenate([tones(text) for text in texts]), [len(tones(text)) for text in texts]
        )

        def utterance(index):
            text = tf.constant(texts)[index]
            words = tf.strings.split(text)
            # Every letter and every blank lasts as long.
            lengths = tf.cast(tf.strings.length(words), "float32")
            ends = LETTER_SECONDS * (tf.cumsum(lengths + 1) - 1)
            return {
                "id": tf.strings.join([split, tf.strings.as_string(index)], "-"),
                "audio": audio[index],
                "text": text,
                "speaker": tf.constant("piper"),
                "words": {"text": words, "start": ends - LETTER_SECONDS * lengths, "end": ends},
            }

        return tf.data.Dataset.range(len(texts)).map(utterance)
