"""Figures of transcripts: above all, that everything in them is at its time."""

import dataclasses

import numpy as np
import pytest

from demos.speech import figures
from demos.speech.errors import UserError
from demos.speech.recognition import Word
from tests.demos.speech import transcripts

RATE = 8000
DURATION, OFFSET = 0.04, 0.0075


def transcript(text="go on", frames=25):
    alignment = np.eye(max(len(text), 1), frames, dtype="float32")[: len(text)]
    times = (OFFSET + DURATION * (np.arange(frames) + 0.5)).astype("float32")
    return transcripts.transcript(text, alignment, times, score=-0.1)


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are drawn."""
    made = []
    plot_alignment = figures.plot_alignment

    def spy(*arguments, **options):
        made.append(plot_alignment(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(figures, "plot_alignment", spy)
    return made


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("start", [0.0, OFFSET, 0.05])
@pytest.mark.parametrize("click", [0.1, 0.25, 0.5031, 0.9])
def test_a_click_is_in_the_spectrogram_when_it_is_heard(rate, start, click):
    waveform = np.zeros(rate, "float32")
    waveform[round(click * rate)] = 1.0
    loudness = figures.spectrogram(waveform, rate, start).sum(axis=0)
    middle = start + (np.argmax(loudness) + 0.5) * 0.010
    assert abs(middle - click) <= 0.005 + 1 / rate


def test_the_spectrogram_reaches_the_end():
    frames = figures.spectrogram(np.zeros(RATE, "float32"), RATE).shape[1]
    assert 0.99 <= frames * 0.010 <= 1.0


def test_panels_and_words_share_one_time(drawn, tmp_path):
    # A click in the middle of frame 10 of the alignment, which the only character attends to, in a word around it.
    one = transcript("a")
    one.alignment[:] = np.eye(25)[10]
    click = float(one.frame_times[10])
    waveform = np.zeros(RATE, "float32")
    waveform[round(click * RATE)] = 1.0
    figures.draw_transcript(tmp_path / "a.png", waveform, RATE, one, [Word("a", click - 0.02, click + 0.02)])
    energies, alignment = (axes.images[0] for axes in drawn[0].axes[:2])
    peaks = []
    for image in (energies, alignment):
        left, right, *_ = image.get_extent()
        column = np.argmax(np.asarray(image.get_array()).sum(axis=0))
        width = (right - left) / image.get_array().shape[1]
        peaks.append(left + (column + 0.5) * width)
    assert peaks[0] == pytest.approx(peaks[1], abs=0.006)
    for axes in drawn[0].axes[:2]:
        lines = sorted(line.get_xdata()[0] for line in axes.lines)
        assert lines == pytest.approx([peaks[1] - 0.02, peaks[1] + 0.02], abs=1e-4)
    # The axis starts with the first frame, 7.5 ms after the recording.
    assert peaks[1] == pytest.approx(click - OFFSET, abs=1e-4)


def test_tokens_words_and_title_are_written(drawn, tmp_path):
    words = [Word("go", 0.1, 0.3), Word("on", 0.4, 0.6)]
    waveform = np.random.default_rng(0).normal(0, 3000, RATE).astype("int16")
    figures.draw_transcript(tmp_path / "new" / "a.svg", waveform, RATE, transcript(), words, "A title")
    assert [label.get_text() for label in drawn[0].axes[1].get_yticklabels()] == ["g", "o", "␣", "o", "n"]
    assert {"go", "on"} <= {text.get_text() for text in drawn[0].axes[0].texts}
    assert drawn[0].get_suptitle() == "A title"
    assert (tmp_path / "new" / "a.svg").read_text().startswith("<?xml")


def test_png(tmp_path):
    figures.draw_transcript(tmp_path / "a.png", np.zeros(RATE, "float32"), RATE, transcript())
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_nothing_recognised_is_drawn_too(drawn, tmp_path):
    figures.draw_transcript(tmp_path / "a.png", np.zeros(RATE, "float32"), RATE, transcript(""), [Word("go", 0.1, 0.3)])
    assert (tmp_path / "a.png").exists()
    assert not np.asarray(drawn[0].axes[1].images[0].get_array()).any()


def test_one_frame(tmp_path):
    figures.draw_transcript(tmp_path / "a.png", np.zeros(500, "float32"), RATE, transcript("a", frames=1))
    assert (tmp_path / "a.png").exists()


def test_another_suffix(tmp_path):
    with pytest.raises(ValueError, match="'.png', '.svg'"):
        figures.draw_transcript(tmp_path / "a.gif", np.zeros(RATE, "float32"), RATE, transcript())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot write"):
        figures.draw_transcript(tmp_path / "file" / "a.png", np.zeros(RATE, "float32"), RATE, transcript())


def test_labels_of_characters_and_of_pieces_of_words(drawn, tmp_path):
    letters = transcript("go on")
    assert figures.token_labels(letters) == list("go on")
    pieces = dataclasses.replace(
        letters, alignment=np.eye(4, 25, dtype="float32"), word_ids=np.array([0, 1, 1, -1]), tokens=np.zeros(4, "int32")
    )
    assert figures.token_labels(pieces) == ["go", "on", "", ""]
    figures.draw_transcript(tmp_path / "a.png", np.zeros(RATE, "float32"), RATE, pieces)
    assert (tmp_path / "a.png").stat().st_size > 0 and len(drawn) == 1
