"""What training says when the attention does not find its way."""

import pytest

from demos.speech.alignment_advice import AlignmentAdvice, advice, formed
from demos.speech.config import Config


def logs(sharpness, monotonicity, error=None, inside=0.5):
    truth = {} if error is None else {"val_alignment_error_rate": error, "val_mass_inside": inside}
    return {"val_wer": 0.009, "val_sharpness": sharpness, "val_monotonicity": monotonicity} | truth


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        # As trainings ended: the commands, spoken_digit with and without guided attention.
        (logs(0.57, 0.97), True),
        (logs(0.64, 1.00), True),
        (logs(0.31, 0.60), False),
        (logs(0.64, 1.00, 0.010), True),
        (logs(0.31, 0.60, 0.364), False),
        # Sharp and straight on, but in the wrong place; and the other way round.
        (logs(0.90, 1.00, 0.9), False),
        (logs(0.20, 0.80, 0.05), True),
        (logs(float("nan"), float("nan")), False),
        (logs(1.0, 1.0, float("nan")), False),
    ],
)
def test_formed(measures, expected):
    assert formed(measures) == expected


def test_a_listener_that_hears_nothing_of_what_comes_later_may_be_late():
    late = logs(0.59, 0.88, 0.37)
    assert not formed(late) and formed(late, bidirectional=False)


def said(capsys, config, epochs, first=0):
    callback = AlignmentAdvice(config)
    printed = []
    for epoch, measures in enumerate(epochs, start=first):
        callback.on_epoch_end(epoch, measures)
        printed.append(bool(capsys.readouterr().out))
    return printed


BAD, WORSE, GOOD = logs(0.3, 0.6), logs(0.3, 0.45), logs(0.6, 0.95)


def test_it_is_said_once_after_half_of_the_epochs_and_again_when_it_gets_worse(capsys):
    config = Config().replace(training={"epochs": 6})
    assert said(capsys, config, [BAD] * 6) == [False, False, True, False, False, False]
    assert said(capsys, config, [BAD, BAD, GOOD, GOOD, GOOD, GOOD]) == [False] * 6
    assert said(capsys, config, [GOOD, GOOD, GOOD, BAD, WORSE, WORSE]) == [False, False, False, True, True, False]
    assert said(capsys, config, [BAD] * 2, first=4) == [True, False]
    assert said(capsys, Config().replace(training={"epochs": 1}), [BAD]) == [True]
    odd = Config().replace(training={"epochs": 7})
    assert said(capsys, odd, [BAD] * 7) == [False, False, False, True, False, False, False]


def test_the_numbers_and_what_to_try():
    config = Config().replace(speller={"scorer": "additive"}, training={"epochs": 7})
    text = advice(logs(0.312, 0.601, 0.364, 0.508), 4, config)
    for part in (
        "After epoch 4 ",
        "sharpness 0.31 (",
        "monotonicity 0.60 (",
        "alignment error rate 0.36 (",
        "rate 0.9%;",
    ):
        assert part in " ".join(text.split()), part
    options = [line.split()[:2] for line in text.splitlines() if line.startswith("  --")]
    assert options == [
        ["--set", "training.guided_attention=10"],
        ["--set", "speller.scorer=location_aware"],
        ["--set", "training.ctc_weight=0.5"],
        ["--epochs", "14"],
    ]


def test_what_is_done_already_is_not_advised():
    config = Config().replace(training={"guided_attention": 10, "ctc_weight": 0.5, "epochs": 3})
    text = advice(logs(0.3, 0.6), 3, config)
    assert [line.split()[:2] for line in text.splitlines() if line.startswith("  --")] == [["--epochs", "6"]]
    assert "alignment error rate" not in text
