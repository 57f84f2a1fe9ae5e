"""Learning aid: say by number when the attention does not find its way, and what to try."""

import textwrap

import keras

# Of the trainings that we have seen, those whose attention found its way passed these by half of their epochs, and the
# others never did. Where the true times of words are known, the alignment error rate counts: in the end it was at most
# 0.1, or above 0.3.
ALIGNMENT_ERROR_RATE = 0.2
SHARPNESS, MONOTONICITY = 0.35, 0.85
# How much worse it must get to be said again.
_WORSE = 0.1


def formed(logs, bidirectional=True):
    """Whether an alignment has formed, a bool.

    Args:
        logs: of an epoch, with what `ValidationErrorRates` adds.
        bidirectional: whether the listener knows what comes later. If not, attention waits for the end of a word, and
            the true times say little of it.

    >>> formed({"val_sharpness": 0.6, "val_monotonicity": 0.98})
    True
    """
    if bidirectional and "val_alignment_error_rate" in logs:
        return logs["val_alignment_error_rate"] <= ALIGNMENT_ERROR_RATE
    return logs["val_sharpness"] >= SHARPNESS and logs["val_monotonicity"] >= MONOTONICITY


def criterion():
    """What `formed` asks for, in words."""
    return (
        f"at most {ALIGNMENT_ERROR_RATE:.0%} of the tokens of those validation words that are recognised right attend "
        "most to a frame outside of their word; or, where the true times are not known or the listener hears nothing "
        f"of what comes later, when sharpness is at least {SHARPNESS} and monotonicity at least {MONOTONICITY}"
    )


def advice(logs, epoch, config):
    """What to tell after an epoch without an alignment, a paragraph.

    Args:
        logs: as for `formed`.
        epoch: number of epochs that are done.
        config: the `Config` of the training.
    """
    measures = [
        ("val_sharpness", f"formed: {SHARPNESS} or more"),
        ("val_monotonicity", f"formed: {MONOTONICITY} or more"),
        ("val_alignment_error_rate", f"formed: {ALIGNMENT_ERROR_RATE} or less"),
        ("val_mass_inside", "all: 1"),
    ]
    numbers = ", ".join(
        f"{name.removeprefix('val_').replace('_', ' ')} {logs[name]:.2f} ({usual})"
        for name, usual in measures
        if name in logs
    )
    trials = "\n".join(f"  {trial}" for trial in _trials(config.training, config.speller))
    text = f"After epoch {epoch} the attention has not found its way: {numbers}. "
    text += f"Word error rate {logs['val_wer']:.1%}; the times of words cannot be relied on. To try:"
    return f"{textwrap.fill(text, 120)}\n{trials}"


def _trials(training, speller):
    """Settings that are worth a try, the most promising first."""
    if training.guided_attention < 10:
        yield "--set training.guided_attention=10   leads it to the diagonal"
    if speller.scorer != "location_aware":
        yield "--set speller.scorer=location_aware   lets it know where it was"
    if training.ctc_weight < 0.5:
        yield "--set training.ctc_weight=0.5   makes the listener find the characters first"
    yield f"--epochs {2 * training.epochs}   gives it more time"


class AlignmentAdvice(keras.callbacks.Callback):
    """Print `advice` when half of the epochs are done and no alignment has formed, and again when it gets worse.

    Args:
        config: the `Config` of the training.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        self._said = None

    def on_epoch_end(self, epoch, logs=None):
        config = self.config
        if 2 * (epoch + 1) < config.training.epochs or formed(logs, config.listener.bidirectional):
            return
        error = logs.get("val_alignment_error_rate", 1 - logs["val_monotonicity"])
        if self._said is None or error > self._said + _WORSE:
            self._said = error
            print(f"\n{advice(logs, epoch + 1, config)}\n", flush=True)
