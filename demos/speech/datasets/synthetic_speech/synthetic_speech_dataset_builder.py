"""The TFDS builder `synthetic_speech`."""

import numpy as np
import tensorflow_datasets as tfds

from ..pcm_audio import PcmAudio
from .sentences import SIZES, sentences
from .utterance import SAMPLE_RATE, utterance


class Builder(tfds.core.GeneratorBasedBuilder):
    """Sentences spoken by eSpeak NG in many voices; needs no network.

    No sentence and no voice occurs in two splits. The same version gives the same sentences, voices and times on every
    machine. All times are in seconds.

    Example:
        >>> builder = Builder(config="commands")  # doctest: +SKIP
        >>> builder.download_and_prepare()  # doctest: +SKIP
        >>> train = builder.as_dataset(split="train")  # doctest: +SKIP
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="commands", description="Things one says to a house and a phone."),
        tfds.core.BuilderConfig(name="digits", description="Strings of 3 to 7 digits."),
        tfds.core.BuilderConfig(name="numbers", description="Cardinals, years, times, prices and phone numbers."),
        tfds.core.BuilderConfig(name="names", description="Commands with names, half of them names of no command."),
    ]

    def _info(self):
        word = {"text": tfds.features.Text(), "start": np.float32, "end": np.float32}
        phoneme = {"symbol": tfds.features.Text(), "start": np.float32, "end": np.float32}
        return tfds.core.DatasetInfo(
            builder=self,
            description="Sentences spoken by eSpeak NG, with the true times of words and phonemes in seconds.",
            features=tfds.features.FeaturesDict(
                {
                    "id": tfds.features.Text(),
                    "audio": PcmAudio(dtype=np.int16, sample_rate=SAMPLE_RATE, encoding="bytes"),
                    "text": tfds.features.Text(),
                    "voice": tfds.features.Text(),
                    "words": tfds.features.Sequence(word),
                    "phonemes": tfds.features.Sequence(phoneme),
                }
            ),
            supervised_keys=("audio", "text"),
            homepage="https://github.com/espeak-ng/espeak-ng",
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # nothing to download
        texts = sentences(self.builder_config.name)
        return {split: self._generate_examples(split, texts[split]) for split in SIZES}

    def _generate_examples(self, split, texts):
        config = self.builder_config.name
        for index, text in enumerate(texts):
            spoken = utterance(config, split, index, text)
            key = f"{config}-{split}-{index:05d}"
            yield (
                key,
                {
                    "id": key,
                    "audio": spoken.samples,
                    "text": spoken.text,
                    "voice": spoken.voice,
                    "words": _spans("text", spoken.words),
                    "phonemes": _spans("symbol", spoken.phonemes),
                },
            )


def _spans(name, spans):
    return [{name: span.text, "start": span.start, "end": span.end} for span in spans]
