"""From a corpus to batches: augmentation, tokens, shuffling, buckets of like lengths."""

import math

import numpy as np
import tensorflow as tf

from demos.speech.augmentation import augment_waveform, cut_words, vary_edges

BUCKETS = 6
SHUFFLE_BUFFER = 2000
# Utterances that are looked at to find the limits of the buckets.
_SAMPLE = 500


class TrainingBatches:
    """Batches of one epoch after another, each a pure function of the number `epoch` and of the seed of `config`.

    Args:
        corpus: a `Corpus`.
        vocabulary: a `Vocabulary`.
        config: a `Config`.

    Attributes:
        epoch: number of the epoch that the next iterator of `dataset` gives; set it before.
        steps: number of batches in an epoch, all full. What is left over in the buckets is given up, and as many
            utterances come twice instead.
        dataset: a `tf.data.Dataset` of what the model takes: `waveform`, `num_samples`, `tokens`, `num_tokens`.
    """

    def __init__(self, corpus, vocabulary, config):
        self.corpus = corpus
        self.vocabulary = vocabulary
        self.config = config
        self.steps = steps_per_epoch(corpus, config)
        self.boundaries = bucket_boundaries(corpus)
        self._epoch = tf.Variable(0, dtype="int64", trainable=False)
        dataset = tf.data.Dataset.range(1).flat_map(lambda _: self._one_epoch(self._epoch.read_value()))
        self.dataset = dataset.apply(tf.data.experimental.assert_cardinality(self.steps)).prefetch(tf.data.AUTOTUNE)

    @property
    def epoch(self):
        return int(self._epoch)

    @epoch.setter
    def epoch(self, number):
        self._epoch.assign(number)

    def _one_epoch(self, epoch):
        # Of the graph of this function alone, where the seed of a shuffle is one with that of its graph.
        tf.compat.v1.set_random_seed(1)
        seed = 1000 * self.config.training.seed + epoch
        utterances = self.corpus.utterances("train", seed=self.config.training.seed, epoch=epoch)
        utterances = utterances.shuffle(SHUFFLE_BUFFER, seed).repeat()

        silence, rate = self.config.edge_silence, self.corpus.sample_rate
        edges = silence and [round(seconds * rate) for seconds in silence]

        def prepare(index, utterance):
            waveform = _waveform(utterance["audio"])
            if self.config.word_cut:
                words, seeds = utterance["words"], tf.stack([index, seed + 1])
                starts, ends = (tf.cast(tf.round(words[name] * rate), "int32") for name in ("start", "end"))
                waveform = cut_words(waveform, starts, ends, seeds, self.config.word_cut * rate)
            if edges:
                waveform = vary_edges(waveform, tf.stack([index, seed]), *edges)
            waveform, _ = augment_waveform(waveform, tf.stack([seed, index]), self.config.augmentation)
            return _model_inputs(waveform, utterance["text"], self.vocabulary)

        dataset = utterances.enumerate().map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
        return _bucket(dataset, self.boundaries, self.config.training.batch_size).take(self.steps)


def steps_per_epoch(corpus, config):
    """The number of batches in an epoch."""
    return math.ceil(corpus.size("train") / config.training.batch_size)


def evaluation_batches(corpus, split, vocabulary, batch_size):
    """Batches of a split as they are, each utterance once.

    Args:
        corpus: a `Corpus`.
        split: name of the split.
        vocabulary: a `Vocabulary`.
        batch_size: utterances in a batch.
    """
    dataset = corpus.utterances(split).map(
        lambda utterance: _model_inputs(_waveform(utterance["audio"]), utterance["text"], vocabulary),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    boundaries = bucket_boundaries(corpus)
    sizes = np.bincount(np.searchsorted(boundaries, sample_counts(corpus.utterances(split)), side="right"))
    batches = sum(math.ceil(size / batch_size) for size in sizes)
    dataset = _bucket(dataset, boundaries, batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(tf.data.AUTOTUNE)


def _waveform(audio):
    return tf.cast(audio, "float32") / 32768.0


def _model_inputs(waveform, text, vocabulary):
    tokens, num_tokens = vocabulary.encode_tensor(text)
    return {"waveform": waveform, "num_samples": tf.size(waveform), "tokens": tokens, "num_tokens": num_tokens}


def _bucket(dataset, boundaries, batch_size):
    """Batches of utterances of like lengths: little padding, and no padding beyond the longest of the batch."""
    return dataset.bucket_by_sequence_length(
        lambda inputs: inputs["num_samples"],
        bucket_boundaries=boundaries,
        bucket_batch_sizes=[batch_size] * BUCKETS,
    )


def bucket_boundaries(corpus):
    """Lengths in samples that part the training utterances into `BUCKETS` parts of like size."""
    lengths = sample_counts(corpus.utterances("train").take(_SAMPLE))
    return [int(length) for length in np.quantile(lengths, np.arange(1, BUCKETS) / BUCKETS)]


def sample_counts(utterances):
    """The number of samples of each utterance, a list."""
    return list(utterances.map(lambda utterance: tf.size(utterance["audio"])).as_numpy_iterator())
