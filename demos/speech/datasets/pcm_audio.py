"""A TFDS audio feature for samples that are already in memory."""

import tensorflow_datasets as tfds


class PcmAudio(tfds.features.Audio):
    """`tfds.features.Audio` that stores int16 samples as bytes.

    `Audio` passes arrays on as they are, whatever its `encoding`, and then stores each sample as a protobuf integer,
    which takes up to 10 bytes.
    """

    def encode_example(self, samples):
        """The bytes of int16 samples `(samples,)`."""
        return tfds.features.Tensor.encode_example(self, samples)
