"""The models that ship: small, with a card, and right about a voice they have never met."""

import io
from pathlib import Path

import jiwer
import pytest
import soundfile
import tensorflow as tf

from demos.speech.datasets.synthetic_speech.utterance import utterance

FOLDER = Path(__file__).parents[1] / "saved_models"
SENTENCES = [
    "turn the kitchen light on",
    "open my blinds in the evening",
    "start the oven tonight",
    "call doctor wilson after lunch",
    "play quiet music in my garage",
    "set an alarm for half past nine tonight",
]
DIGITS = ["one two three four five", "six seven eight nine zero", "four four zero", "nine one eight six"]
MODELS = sorted(path for path in FOLDER.iterdir() if path.is_dir())


def wav_of(config, text, index):
    """The bytes of a WAV file in which a voice of the test split of `synthetic_speech` says `text`."""
    file = io.BytesIO()
    soundfile.write(file, utterance(config, "test", index, text).samples, 16000, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)
def test_is_small_and_has_a_card(model):
    assert sum(path.stat().st_size for path in model.rglob("*")) < 20e6
    card = (model / "README.md").read_text()
    assert all(word in card for word in ("Command", "Data", "Licence", "Seed", "Commit", "Word error rate"))


@pytest.mark.parametrize(("config", "texts"), [("commands", SENTENCES), ("digits", DIGITS)])
def test_understands(config, texts):
    """Not every word, as the cards say; a tenth is far from that, and from what a broken model gets right."""
    texts = texts * 3
    model = tf.saved_model.load(FOLDER / config)
    result = model.signatures["transcribe_wav"](
        wav=tf.constant([wav_of(config, text, index) for index, text in enumerate(texts)])
    )
    assert jiwer.wer(texts, [text.decode() for text in result["text"].numpy()]) < 0.1
