"""A corpus, as `demos.speech.corpora` describes it, whose utterances are the same in every epoch."""


class FixedCorpus:
    """The splits of a TFDS dataset.

    Args:
        name: the name of the corpus.
        sample_rate: Hz.
        datasets: a dict from each split to the `tf.data.Dataset` of its utterances. It is made outside of any graph,
            as `utterances` may be called inside one.
        sizes: a dict from each split to the number of its utterances.
    """

    def __init__(self, name, sample_rate, datasets, sizes):
        self.name = name
        self.sample_rate = sample_rate
        self.splits = tuple(datasets)
        self._datasets, self._sizes = datasets, sizes

    def size(self, split):
        """The number of utterances in a split."""
        return self._sizes[split]

    def utterances(self, split, seed=0, epoch=0):
        """The utterances of a split."""
        del seed, epoch
        return self._datasets[split]


def of_builder(name, builder, sample_rate, utterance):
    """The corpus of a TFDS dataset that has been built.

    Args:
        name: the name of the corpus.
        builder: the TFDS builder.
        sample_rate: Hz.
        utterance: a function from an example of the dataset to an utterance.
    """
    import tensorflow_datasets as tfds

    config = tfds.ReadConfig(try_autocache=False)
    datasets = {split: builder.as_dataset(split=split, read_config=config).map(utterance) for split in _SPLITS}
    sizes = {split: builder.info.splits[split].num_examples for split in _SPLITS}
    return FixedCorpus(name, sample_rate, datasets, sizes)


_SPLITS = ("train", "validation", "test")
