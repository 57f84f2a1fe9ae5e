"""What happens between the epochs of training."""

import dataclasses
import json

import jiwer
import keras
import numpy as np

from demos.speech.alignment_quality import alignment_quality
from demos.speech.decoding import DecodingConfig
from demos.speech.files import write_beside
from demos.speech.recognition import recognise, transcriber
from demos.speech.word_times import compare_times, time_figures, true_words


class EpochNumber(keras.callbacks.Callback):
    """Tell the input pipeline the number of the epoch, from which its random numbers follow; `first` were before."""

    def __init__(self, batches, first=0):
        super().__init__()
        self.batches = batches
        self.first = first

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = self.first + epoch


class ValidationErrorRates(keras.callbacks.Callback):
    """Recognise the validation utterances and log what came out.

    `val_wer` and `val_cer` are shares of words and characters; `val_sharpness` and `val_monotonicity`, means of
    `keras_attn.metrics`, rise when the attention forms. Where true times are known, so do `val_mass_inside`, and
    `val_alignment_error_rate` and `val_boundary_error_ms` fall; see `time_figures`. The search is greedy and without
    language models, else that of `decoding`, a `DecodingConfig`.

    Attributes:
        pairs: utterances and `Transcript`s of the last epoch.
    """

    def __init__(self, utterances, decoding=DecodingConfig()):
        super().__init__()
        self.utterances = utterances
        self.decoding = dataclasses.replace(decoding, beam_width=1, n_best=1, ensemble=(), language_models=())
        self.pairs = []

    def on_train_begin(self, logs=None):
        self.transcribe = transcriber(self.model, self.decoding)

    def on_epoch_end(self, epoch, logs=None):
        self.pairs = list(recognise(self.transcribe, self.utterances))
        references = [utterance["text"].decode() for utterance, _ in self.pairs]
        transcripts = [transcript for _, transcript in self.pairs]
        texts = [transcript.text for transcript in transcripts]
        quality = alignment_quality(transcripts)
        logs["val_wer"] = jiwer.wer(references, texts)
        logs["val_cer"] = jiwer.cer(references, texts)
        logs["val_sharpness"] = float(quality["sharpness"].mean())
        logs["val_monotonicity"] = float(quality["monotonicity"].mean())
        logs |= {f"val_{name}": value for name, value in _against_truth(self.pairs).items()}


def _against_truth(pairs):
    """What is known of the alignments of utterances and `Transcript`s from the true times of words; may be empty."""
    compared = [(transcript, true_words(utterance)) for utterance, transcript in pairs]
    if not any(words for _, words in compared):
        return {}
    figures = time_figures([compare_times(*one) for one in compared])
    # While no word is right, attention has been nowhere that counts.
    worst = {"mass_inside": 0.0, "alignment_error_rate": 1.0}
    return {name: figures[name] for name in (*worst, "boundary_error_ms") if figures[name] is not None} or worst


class RunState(keras.callbacks.Callback):
    """Keep the best model, the history, and all that is needed to go on after a kill at any moment.

    The best model has the lowest `val_loss`: of few validation utterances a word more or less is chance, and `val_wer`
    then finds an early, lucky epoch. Training stops when `patience` epochs have not brought a better one. Every file is
    written beside and renamed, the list of what is valid last, so a kill loses the epoch under way and nothing else.

    Args:
        run: `pathlib.Path` of the run folder.
        patience: epochs without a better model before training stops.
    """

    def __init__(self, run, patience):
        super().__init__()
        self.run = run
        self.patience = patience
        self._history_path = run / "state" / "history.json"
        self.history = json.loads(self._history_path.read_text()) if self._history_path.exists() else []

    @property
    def epochs(self):
        """Number of epochs that are done."""
        return len(self.history)

    @property
    def best_epoch(self):
        return int(np.argmin(np.nan_to_num([logs["val_loss"] for logs in self.history], nan=np.inf)))

    @property
    def stopped(self):
        """Whether the patience is exhausted."""
        return self.epochs > 0 and self.epochs - 1 - self.best_epoch >= self.patience

    def finished(self, epochs):
        """Whether a training of `epochs` epochs has come to its end."""
        return self.stopped or self.epochs >= epochs

    def restore(self, model):
        """Load the last complete epoch into a compiled model; False when there is none."""
        if not self.history:
            return False
        with np.load(self._weights(self.epochs)) as values:
            for variable, name in zip(_variables(model), values.files, strict=True):
                variable.assign(values[name])
        return True

    def on_epoch_end(self, epoch, logs=None):
        self.history.append({name: float(value) for name, value in logs.items()})
        # No HDF5: it brings the whole process down when the disk is full.
        with write_beside(self._weights(self.epochs)) as beside:
            np.savez(beside, *[variable.numpy() for variable in _variables(self.model)])
        if self.best_epoch == self.epochs - 1:
            with write_beside(self.run / "model.keras") as beside:
                self.model.save(beside)
        with write_beside(self._history_path) as beside:
            beside.write_text(json.dumps(self.history, indent=1))
        self._weights(self.epochs - 1).unlink(missing_ok=True)
        self.model.stop_training = self.stopped

    def _weights(self, epochs):
        return self.run / "state" / f"epoch_{epochs}.npz"


def _variables(model):
    """All that changes in training: weights, states of the random number generators, and what the optimizer keeps."""
    return [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]
