"""Tests for `plotting.py`: what is in the figures, the files, and the errors."""

import importlib
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib
import matplotlib.pyplot as plt
from keras import ops
from matplotlib.figure import Figure
from matplotlib.image import imread

from keras_attn import plotting
from keras_attn.plotting import plot_alignment


def alignment(steps=6, frames=10):
    return np.random.default_rng(0).dirichlet(np.ones(frames), size=steps)


def texts(labels):
    return [label.get_text() for label in labels]


def drawn(figure):
    figure.canvas.draw()
    return figure


def test_image_reads_from_top_left_with_time_in_seconds():
    x = alignment()
    figure = drawn(plot_alignment(x, "a b c.", frame_duration=0.04, title="$1 and $2"))
    axes, bar = figure.axes
    assert isinstance(figure, Figure) and figure.get_suptitle() == "$1 and $2"
    np.testing.assert_allclose(axes.images[0].get_array(), x, rtol=1e-6)
    np.testing.assert_allclose(axes.images[0].get_extent(), (0, 0.4, 6, 0))
    assert axes.get_xlabel() == "time (s)" and bar.get_ylabel() == "weight"
    assert texts(axes.get_yticklabels()) == ["a", "␣", "b", "␣", "c", "."]
    np.testing.assert_allclose(axes.get_yticks(), np.arange(6) + 0.5)


def test_without_options_axes_count_steps_and_frames():
    axes = plot_alignment(ops.convert_to_tensor(alignment())).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("frame", "output step")
    assert axes.get_xlim() == (0, 10)


def test_spectrogram_and_words():
    spectrogram = np.log(np.random.default_rng(0).random((12, 40)))
    spectrogram[0, 0] = -np.inf
    words = [("one", 0.0, 0.2), ("two", 0.2, 0.35), ("beyond", 0.5, 0.6)]
    figure = drawn(plot_alignment(alignment(), frame_duration=0.04, spectrogram=(spectrogram, 0.01), words=words))
    above, main, _ = figure.axes
    np.testing.assert_allclose(above.images[0].get_extent(), (0, 0.4, 0, 12))
    assert above.get_xlim() == main.get_xlim() == (0, 0.4)
    for axes in (above, main):
        assert sorted(line.get_xdata()[0] for line in axes.lines) == [0.0, 0.2, 0.35, 0.5, 0.6]
    assert texts(above.texts) == ["one", "two"] and not main.texts
    assert above.get_position().x1 == pytest.approx(main.get_position().x1)


def test_words_that_do_not_fit_are_turned():
    def rotations(words):
        return [t.get_rotation() for t in plot_alignment(alignment(), frame_duration=0.1, words=words).axes[0].texts]

    assert rotations([("one", 0, 0.5), ("two", 0.5, 1.0)]) == [0, 0]
    assert rotations([("seventeen", 0, 0.1), ("two", 0.1, 1.0)]) == [40, 40]


@pytest.mark.parametrize("steps, frames", [(1, 1), (30, 60), (90, 200), (400, 2000)])
def test_every_size_stays_readable(steps, frames):
    figure = drawn(plot_alignment(alignment(steps, frames), ["m"] * steps, frame_duration=0.04))
    assert (figure.get_size_inches() <= 18).all()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(lower.y1 <= upper.y0 + 1 for upper, lower in zip(boxes[:-1], boxes[1:], strict=True))  # noqa: RUF007
    assert figure.axes[0].get_yticklabels()[0].get_fontsize() >= 5


@pytest.mark.parametrize("values", [0.0, np.nan])
def test_degenerate_values_are_drawn(values):
    x = np.full((3, 4), values)
    drawn(plot_alignment(x, frame_duration=0.1, spectrogram=(x, 0.1)))


@pytest.mark.parametrize("suffix", [".png", ".svg", ".PNG"])
def test_files(tmp_path, suffix):
    path = tmp_path / f"figure{suffix}"
    plot_alignment(alignment(), "a b c.", path=str(path))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix == ".svg":
        assert path.read_text().rstrip().endswith("</svg>")
    else:
        assert imread(path).shape[1] >= 1000


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "figure.png"
    path.write_text("old")

    def fail(self, where, **options):
        where.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        plot_alignment(alignment(), path=path)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_global_state_is_left_alone():
    settings, figures = dict(matplotlib.rcParams), plt.get_fignums()
    drawn(plot_alignment(alignment(), "a b c."))
    assert dict(matplotlib.rcParams) == settings and plt.get_fignums() == figures


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    module = importlib.reload(plotting)
    with pytest.raises(ImportError, match=r"pip install keras_attn\[plot\]"):
        module.plot_alignment(np.eye(3))


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (
            {"alignment": np.ones(3)},
            ValueError,
            r"Expected alignment with two axes, neither empty. Received: shape=\(3,\)",
        ),
        ({"alignment": np.ones((0, 3))}, ValueError, r"Received: shape=\(0, 3\)"),
        ({"tokens": "ab"}, ValueError, r"a token for each of the 3 steps. Received: len\(tokens\)=2"),
        ({"spectrogram": (np.ones(3), 0.01)}, ValueError, r"Expected spectrogram\[0\] with two axes"),
        ({"frame_duration": 0}, ValueError, "Received: frame_duration=0"),
        ({"path": "figure.jpeg"}, ValueError, r"\('.png', '.svg'\). Received: path='figure.jpeg'"),
        ({"path": "no/such/folder/figure.png"}, FileNotFoundError, "Received: path='no/such/folder/figure.png'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        plot_alignment(**{"alignment": np.eye(3)} | arguments)


def test_default_font_has_the_signs_for_white_space():
    from matplotlib.font_manager import findfont, get_font

    characters = get_font(findfont("DejaVu Sans")).get_charmap()
    assert all(ord(sign) in characters for sign in plotting.WHITE_SPACE.values())
