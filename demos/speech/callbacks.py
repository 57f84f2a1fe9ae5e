"""What happens between the epochs of training."""

import json

import jiwer
import keras

from demos.speech.files import write_beside
from demos.speech.recognition import recognise, transcriber


class EpochNumber(keras.callbacks.Callback):
    """Tell the input pipeline the number of the epoch, from which its random numbers follow."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch


class ValidationErrorRates(keras.callbacks.Callback):
    """Recognise the validation utterances and log `val_wer` and `val_cer`, shares of words and characters."""

    def __init__(self, utterances):
        super().__init__()
        self.utterances = utterances

    def on_train_begin(self, logs=None):
        self.transcribe = transcriber(self.model)

    def on_epoch_end(self, epoch, logs=None):
        pairs = list(recognise(self.transcribe, self.utterances))
        references = [utterance["text"].decode() for utterance, _ in pairs]
        texts = [transcript.text for _, transcript in pairs]
        logs["val_wer"] = jiwer.wer(references, texts)
        logs["val_cer"] = jiwer.cer(references, texts)


class RunState(keras.callbacks.Callback):
    """Keep the best model, the history, and all that is needed to go on after a kill at any moment.

    The best model has the lowest `val_wer`, and of equal ones the lowest `val_loss`. Training stops when `patience`
    epochs have not brought a better one. Every file is written beside and renamed, the list of what is valid last, so
    a kill loses the epoch under way and nothing else.

    Args:
        run: `pathlib.Path` of the run folder.
        patience: epochs without a better model before training stops.
    """

    def __init__(self, run, patience):
        super().__init__()
        self.run = run
        self.patience = patience
        self.history = []

    @property
    def epochs(self):
        """Number of epochs that are done."""
        return len(self.history)

    @property
    def best_epoch(self):
        return min(range(self.epochs), key=lambda epoch: _rank(self.history[epoch]))

    @property
    def stopped(self):
        """Whether the patience is exhausted."""
        return self.epochs > 0 and self.epochs - 1 - self.best_epoch >= self.patience

    def restore(self, model):
        """Load the last complete epoch into a compiled model; False when there is none."""
        path = self.run / "state" / "history.json"
        if not path.exists():
            return False
        self.history = json.loads(path.read_text())
        model.load_weights(self._weights(self.epochs))
        return True

    def on_epoch_end(self, epoch, logs=None):
        self.history.append({name: float(value) for name, value in logs.items()})
        with write_beside(self._weights(self.epochs)) as beside:
            self.model.save_weights(beside)
        if self.best_epoch == self.epochs - 1:
            with write_beside(self.run / "model.keras") as beside:
                self.model.save(beside)
        with write_beside(self.run / "state" / "history.json") as beside:
            beside.write_text(json.dumps(self.history, indent=1))
        self._weights(self.epochs - 1).unlink(missing_ok=True)
        self.model.stop_training = self.stopped

    def _weights(self, epochs):
        return self.run / "state" / f"epoch_{epochs}.weights.h5"


def _rank(logs):
    return logs["val_wer"], logs["val_loss"]
