"""A corpus to train on together with others."""

import tensorflow as tf

from .resampled import resampled


class Mixture:
    """The utterances of several corpora to train on, and the validation and test utterances of the first of them.

    Args:
        corpora: as `demos.speech.corpora` describes them; what the others say is brought to the sample rate of the
            first.
    """

    def __init__(self, corpora):
        self._corpora = corpora
        self.name = "+".join(corpus.name for corpus in corpora)
        self.sample_rate = corpora[0].sample_rate
        self.splits = corpora[0].splits

    def size(self, split):
        """The number of utterances in a split."""
        return sum(corpus.size(split) for corpus in self._of(split))

    def utterances(self, split, seed=0, epoch=0):
        """The utterances of a split, those to train on mixed evenly."""
        corpora = self._of(split)
        if len(corpora) == 1:
            return corpora[0].utterances(split, seed, epoch)
        return tf.data.Dataset.sample_from_datasets(
            [self._heard(corpus, split, seed, epoch) for corpus in corpora],
            weights=[corpus.size(split) / self.size(split) for corpus in corpora],
            seed=1,
        )

    def _of(self, split):
        return self._corpora if split == "train" else self._corpora[:1]

    def _heard(self, corpus, split, seed, epoch):
        """The utterances of one of the corpora, at the sample rate of all, as far as one trains on them.

        The words of the others have no times, and so are not cut short.
        """
        unknown = {"text": tf.zeros([0], "string"), "start": tf.zeros([0]), "end": tf.zeros([0])}

        def heard(utterance):
            words = utterance["words"] if corpus is self._corpora[0] else unknown
            return {**{name: utterance[name] for name in ("id", "audio", "text")}, "words": words}

        return resampled(corpus, self.sample_rate).utterances(split, seed, epoch).map(heard)
