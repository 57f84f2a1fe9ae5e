"""A corpus in memory whose words are tones, several in an utterance, with exact times."""

import numpy as np
import tensorflow as tf

from demos.speech import corpora
from demos.speech.config import Config

NAME = "tone_words"
PITCHES = {"do": 400.0, "re": 700.0, "mi": 1100.0, "fa": 1800.0}
SIZES = {"train": 24, "validation": 4, "test": 6}
# Everything small, so that an epoch takes seconds.
CONFIG = Config().replace(
    dataset=NAME,
    features={"bands": 16},
    listener={"units": 8, "dropout": 0.0},
    speller={"embedding": 8, "units": 12, "dropout": 0.0},
    training={"epochs": 1, "batch_size": 8},
)


class ToneWords:
    """Two or three tones of 0.2 s, with a silence of 0.1 s before and after each."""

    splits = tuple(SIZES)

    def __init__(self, name=NAME, data_dir=None, sample_rate=8000):
        self.name = name
        self.sample_rate = sample_rate
        self._datasets = {split: self._dataset(split) for split in self.splits}

    def size(self, split):
        return SIZES[split]

    def utterances(self, split, seed=0, epoch=0):
        return self._datasets[split]

    def _dataset(self, split):
        rng = np.random.default_rng(self.splits.index(split))
        made = [self._utterance(f"{split}/{i}", rng) for i in range(SIZES[split])]
        kinds = {"id": "string", "audio": "int16", "text": "string", "speaker": "string"}
        signature = {name: tf.TensorSpec([None] if name == "audio" else [], kind) for name, kind in kinds.items()}
        kinds = {"text": "string", "start": "float32", "end": "float32"}
        signature["words"] = {name: tf.TensorSpec([None], kind) for name, kind in kinds.items()}
        return tf.data.Dataset.from_generator(lambda: iter(made), output_signature=signature)

    def _utterance(self, name, rng):
        words = rng.choice(list(PITCHES), size=rng.integers(2, 4)).tolist()
        time = np.arange(round(0.2 * self.sample_rate)) / self.sample_rate
        silence = np.zeros(round(0.1 * self.sample_rate))
        parts = [silence]
        for word in words:
            parts += [0.5 * np.sin(2 * np.pi * PITCHES[word] * time), silence]
        starts = 0.1 + 0.3 * np.arange(len(words))
        times = {"start": starts.astype("float32"), "end": (starts + 0.2).astype("float32")}
        audio = np.round(32767 * np.concatenate(parts)).astype("int16")
        return {"id": name, "audio": audio, "text": " ".join(words), "speaker": "s", "words": {"text": words, **times}}


def install(monkeypatch, make=ToneWords):
    """Let `corpora.get` know the corpus."""
    monkeypatch.setitem(corpora._CORPORA, NAME, make)
