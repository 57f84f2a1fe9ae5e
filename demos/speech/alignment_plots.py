"""Watching the attention form: the same few utterances drawn after every epoch."""

import math

import keras

from demos.speech.figures import draw_transcript, file_name
from demos.speech.word_times import true_words

# Epochs that are drawn of a training that is longer, evenly spread.
_MOST_EPOCHS = 50


class AlignmentPlots(keras.callbacks.Callback):
    """Draw a few validation utterances into `<run>/plots/epoch_03/<id>.png`, always the same ones, evenly spread.

    Args:
        run: `pathlib.Path` of the run folder.
        recognised: the `ValidationErrorRates` of the same training; it comes first in the list of callbacks.
        sample_rate: Hz, of the utterances.
        count: utterances to draw.
    """

    def __init__(self, run, recognised, sample_rate, count=3):
        super().__init__()
        self.run = run
        self.recognised = recognised
        self.sample_rate = sample_rate
        self.count = count

    def on_epoch_end(self, epoch, logs=None):
        epochs = self.params.get("epochs", 1)
        if (epochs - 1 - epoch) % math.ceil(epochs / _MOST_EPOCHS):
            return
        folder = folder_of(self.run, epoch)
        for utterance, transcript in spread(self.recognised.pairs, self.count):
            path = folder / file_name(utterance["id"].decode(), ".png")
            title = f"After epoch {epoch + 1}: {transcript.text or '(nothing)'}"
            draw_transcript(path, utterance["audio"], self.sample_rate, transcript, true_words(utterance), title)


def folder_of(run, epoch):
    """Where the figures of an epoch are, the first of which is number 0."""
    return run / "plots" / f"epoch_{epoch + 1:02d}"


def spread(items, count):
    """`count` items, or all if there are fewer, evenly spread over a list.

    >>> spread("abcdefghi", 3)
    ['b', 'e', 'h']
    """
    count = min(count, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]
