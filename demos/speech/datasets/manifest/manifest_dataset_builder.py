"""The TFDS builder `manifest`."""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds

from ...audio import read_audio, to_pcm
from ..pcm_audio import PcmAudio


@dataclasses.dataclass
class ManifestConfig(tfds.core.BuilderConfig):
    """What to build; nothing but the name is needed for what has been built.

    Attributes:
        rows: a dict from each split to its `Row`s.
        facts: what the dataset shall remember: `sample_rate`, in Hz, of the audio to store, and others.
    """

    rows: dict = dataclasses.field(default_factory=dict, repr=False)  # TFDS logs the representation
    facts: dict = dataclasses.field(default_factory=dict)


class Builder(tfds.core.GeneratorBasedBuilder):
    """Own recordings, read once: mono, of one rate, 16 bits. All times are in seconds."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    def _info(self):
        word = {"text": tfds.features.Text(), "start": np.float32, "end": np.float32}
        return tfds.core.DatasetInfo(
            builder=self,
            description="Recordings listed in a manifest.",
            features=tfds.features.FeaturesDict(
                {
                    "id": tfds.features.Text(),
                    "audio": PcmAudio(
                        dtype=np.int16, sample_rate=self.builder_config.facts.get("sample_rate"), encoding="bytes"
                    ),
                    "text": tfds.features.Text(),
                    "speaker": tfds.features.Text(),
                    "words": tfds.features.Sequence(word),
                }
            ),
            supervised_keys=("audio", "text"),
            metadata=tfds.core.MetadataDict(self.builder_config.facts),
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # nothing to download
        return {split: self._generate_examples(rows) for split, rows in self.builder_config.rows.items()}

    def _generate_examples(self, rows):
        for row in rows:
            waveform = read_audio(row.path, self.builder_config.facts["sample_rate"], row.start, row.end)
            yield (
                f"{row.line:08d}",
                {
                    "id": row.id,
                    "audio": to_pcm(waveform),
                    "text": row.text,
                    "speaker": row.speaker,
                    "words": _spans(row),
                },
            )


def _spans(row):
    """The words with their times from the start of the part."""
    start = row.start or 0.0
    words = zip(row.text.split(), row.words, strict=True) if row.words else ()
    return [{"text": word, "start": times[0] - start, "end": times[1] - start} for word, times in words]
