"""What happens after each epoch of a training."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from demos.speech import callbacks
from demos.speech.alignment_plots import AlignmentPlots, spread
from demos.speech.alignment_quality import alignment_quality
from demos.speech.callbacks import RunState, ValidationErrorRates
from demos.speech.word_times import compare_times, time_figures, true_words
from keras_attn import metrics
from tests.demos.speech import tone_words, transcripts


def transcript(text, alignment):
    frame_times = 0.02 + 0.04 * np.arange(alignment.shape[1])
    return transcripts.transcript(text, alignment, frame_times)


def diagonal(text):
    return transcript(text, np.eye(len(text), 25))


@pytest.fixture
def utterances():
    return list(tone_words.ToneWords().utterances("validation").as_numpy_iterator())


@pytest.fixture
def recognised(utterances, monkeypatch):
    """The callback, with a recogniser that is right about all utterances but the first."""

    def recognise(transcribe, asked):
        for i, utterance in enumerate(asked):
            yield utterance, diagonal(utterance["text"].decode() if i else "do")

    monkeypatch.setattr(callbacks, "recognise", recognise)
    callback = ValidationErrorRates(utterances)
    callback.transcribe = None
    return callback


def test_error_rates_and_quality_are_logged(recognised, utterances):
    logs = {}
    recognised.on_epoch_end(0, logs)
    texts = [one["text"].decode().split() for one in utterances]
    wrong = len(texts[0]) - ("do" in texts[0])
    assert logs["val_wer"] == pytest.approx(wrong / sum(map(len, texts)))
    assert 0 < logs["val_cer"] < 1
    assert logs["val_sharpness"] == pytest.approx(1.0) and logs["val_monotonicity"] == pytest.approx(1.0)
    figures = time_figures([compare_times(transcript, true_words(one)) for one, transcript in recognised.pairs])
    for name in ("mass_inside", "alignment_error_rate", "boundary_error_ms"):
        assert logs[f"val_{name}"] == figures[name]
    assert [utterance["id"] for utterance, _ in recognised.pairs] == [one["id"] for one in utterances]


def test_no_word_recognised_right_is_the_worst_alignment(recognised, monkeypatch):
    monkeypatch.setattr(callbacks, "recognise", lambda _, asked: ((one, diagonal("so")) for one in asked))
    logs = {}
    recognised.on_epoch_end(0, logs)
    assert (logs["val_mass_inside"], logs["val_alignment_error_rate"]) == (0, 1) and "val_boundary_error_ms" not in logs


def test_without_true_times_nothing_is_said_of_them(recognised, utterances):
    for utterance in utterances:
        del utterance["words"]
    logs = {}
    recognised.on_epoch_end(0, logs)
    assert set(logs) == {"val_wer", "val_cer", "val_sharpness", "val_monotonicity"}


def test_the_quality_of_many_is_that_of_each(rng):
    transcripts = [
        transcript("a" * steps, rng.dirichlet(np.ones(frames), steps).reshape(steps, frames))
        for steps, frames in rng.integers([1, 5], [9, 30], (70, 2))
    ]
    quality = alignment_quality([*transcripts, transcript("", np.zeros((0, 7)))])
    for name in ("sharpness", "monotonicity", "coverage"):
        alone = [float(getattr(metrics, name)(one.alignment[None])[0]) for one in transcripts]
        np.testing.assert_allclose(quality[name], [*alone, 0.0], rtol=1e-5)


def test_no_transcripts_have_no_quality():
    assert [len(value) for value in alignment_quality([]).values()] == [0, 0, 0]


def plots(run, recognised, epochs):
    callback = AlignmentPlots(run, recognised, sample_rate=8000)
    callback.set_params({"epochs": epochs})
    return callback


def test_the_same_utterances_are_drawn_after_every_epoch(recognised, tmp_path):
    recognised.on_epoch_end(0, {})
    callback = plots(tmp_path, recognised, epochs=2)
    callback.on_epoch_end(0)
    callback.on_epoch_end(1)
    drawn = {path.name: sorted(one.name for one in path.iterdir()) for path in (tmp_path / "plots").iterdir()}
    names = ["validation_0.png", "validation_2.png", "validation_3.png"]
    assert drawn == {"epoch_01": names, "epoch_02": names}


def test_a_long_training_draws_a_bounded_number_of_epochs(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("demos.speech.alignment_plots.draw_transcript", lambda path, *_: drawn.append(path.parent.name))
    pair = ({"id": b"a", "audio": np.zeros(10), "text": b"a"}, diagonal("a"))
    callback = plots(tmp_path, SimpleNamespace(pairs=[pair]), epochs=120)
    for epoch in range(120):
        callback.on_epoch_end(epoch)
    assert len(drawn) == 40 and drawn[-1] == "epoch_120"


@pytest.mark.parametrize("count, chosen", [(1, [5]), (3, [1, 5, 8]), (20, list(range(10))), (0, [])])
def test_spread(count, chosen):
    assert spread(list(range(10)), count) == chosen
    assert spread([], count) == []


def history(run, *losses):
    (run / "state").mkdir(exist_ok=True)
    (run / "state" / "history.json").write_text(json.dumps([{"val_loss": loss} for loss in losses]))


def test_a_run_knows_where_it_is(tmp_path):
    assert not RunState(tmp_path, patience=2).finished(1)
    history(tmp_path, 0.5, 0.2, 0.3)
    state = RunState(tmp_path, patience=2)
    assert (state.epochs, state.best_epoch, state.stopped) == (3, 1, False)
    assert state.finished(3) and not state.finished(4)
    history(tmp_path, 0.5, 0.2, 0.3, 0.2)
    state = RunState(tmp_path, patience=2)
    assert state.stopped and state.finished(10)
