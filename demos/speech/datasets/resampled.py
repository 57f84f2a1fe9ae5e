"""A corpus at another sample rate."""

import tensorflow as tf

from ..resampling import resample


def resampled(corpus, sample_rate):
    """A corpus, as `demos.speech.corpora` describes it, whose audio has `sample_rate` Hz; itself where it has."""
    return corpus if corpus.sample_rate == sample_rate else _Resampled(corpus, sample_rate)


class _Resampled:
    def __init__(self, corpus, sample_rate):
        self._corpus = corpus
        self.name = corpus.name
        self.splits = corpus.splits
        self.size = corpus.size
        self.sample_rate = sample_rate

    def utterances(self, split, seed=0, epoch=0):
        def change(utterance):
            audio = resample(tf.cast(utterance["audio"], "float32"), self._corpus.sample_rate, self.sample_rate)
            audio = tf.cast(tf.clip_by_value(tf.round(audio), -32768, 32767), "int16")
            return {**utterance, "audio": audio}

        return self._corpus.utterances(split, seed, epoch).map(change, num_parallel_calls=tf.data.AUTOTUNE)
