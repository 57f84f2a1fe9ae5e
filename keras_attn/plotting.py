"""Figures of alignments. Matplotlib is imported when a figure is drawn, and its global state is left alone."""

import os
from pathlib import Path

import numpy as np
from keras import ops

WHITE_SPACE = {" ": "␣", "\n": "↵", "\t": "⇥"}
SUFFIXES = (".png", ".svg")


def plot_alignment(alignment, tokens=None, *, frame_duration=None, spectrogram=None, words=None, title=None, path=None):
    """Draws an alignment as an image, tokens downwards and time to the right: a good one is a diagonal from top left.

    The size of the figure follows the number of steps and the duration, within limits.

    Args:
        alignment: `(steps, frames)`, any tensor or array; without padding.
        tokens: Optional sequence of `steps` strings, the output. A space is shown as "␣".
        frame_duration: Seconds from one frame of the alignment to the next; without it, the time axis counts frames.
        spectrogram: Optional pair of log energies `(bands, spectrogram_frames)` and their own frame duration in
            seconds, drawn above the alignment.
        words: Optional list of `(text, start, end)` in seconds, such as the true ones: lines at the boundaries, the
            text above. (Without a `frame_duration`, all durations and times are in frames.)
        title: Optional string.
        path: Optional file to write, `.png` or `.svg`. It is written beside and then renamed.

    Returns: The `matplotlib.figure.Figure`. It is not known to pyplot, so nothing has to be closed.
    Raises: ImportError without matplotlib; ValueError for a shape, a length or a duration that does not fit, or an
    unknown suffix; FileNotFoundError for a folder that does not exist.

    Example:

    >>> import numpy as np
    >>> figure = plot_alignment(np.eye(5), "hello", frame_duration=0.04, title="An alignment")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['h', 'e', 'l', 'l', 'o']
    """
    figure_class, canvas_class = _matplotlib()
    alignment = _matrix("alignment", alignment)
    tokens = _labels(tokens, len(alignment))
    path = _checked(path)
    if frame_duration is not None and not 0 < frame_duration < np.inf:
        raise ValueError(f"Expected frame_duration in seconds, above 0. Received: frame_duration={frame_duration}")
    duration = alignment.shape[1] * (frame_duration or 1)

    size, heights = _sizes(alignment.shape, frame_duration, spectrogram is not None)
    figure = figure_class(size, layout="constrained")
    canvas_class(figure)
    *above, main = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    if above:
        _draw_spectrogram(above[0], *spectrogram)
    _draw_alignment(main, alignment, tokens, duration, heights[-1])
    main.set_xlim(0, duration)
    main.set_xlabel("frame" if frame_duration is None else "time (s)")
    _draw_words(main, above, words or [], (size[0] - 1.4) / duration)
    if title is not None:
        figure.suptitle(title, fontsize=11, parse_math=False)
    if path is not None:
        _save(figure, path)
    return figure


def _matplotlib():
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "plot_alignment needs matplotlib. Install it with: pip install keras_attn[plot]"
        raise ImportError(message) from error
    return Figure, FigureCanvasAgg


def _sizes(shape, frame_duration, with_spectrogram):
    """Returns the size of the figure, and the heights of its panels, in inches."""
    steps, frames = shape
    width = 2.2 + (0.05 * frames if frame_duration is None else 2.0 * frames * frame_duration)
    height = float(np.clip(0.17 * steps, 2.2, 14.0))
    heights = [1.4, height] if with_spectrogram else [height]
    return (float(np.clip(width, 6.4, 18.0)), sum(heights) + 1.0), heights


def _draw_alignment(axes, alignment, tokens, duration, height):
    steps = len(alignment)
    image = axes.imshow(
        alignment, cmap="Blues", vmin=0, aspect="auto", interpolation="nearest", extent=(0, duration, steps, 0)
    )
    axes.figure.colorbar(image, ax=axes, pad=0.015, aspect=30, fraction=0.05).set_label("weight", fontsize=9)
    axes.set_ylabel("output step" if tokens is None else "output")
    if tokens is not None:
        points = 72 * height / steps
        size = float(np.clip(0.8 * points, 5.0, 9.0))
        shown = range(0, steps, max(1, int(np.ceil(size / points))))
        axes.set_yticks(
            [i + 0.5 for i in shown], [tokens[i] for i in shown], fontsize=size, va="center_baseline", parse_math=False
        )
        axes.tick_params(axis="y", length=0)


def _draw_spectrogram(axes, energies, frame_duration):
    energies = _matrix("spectrogram[0]", energies)
    bands, frames = energies.shape
    finite = energies[np.isfinite(energies)]
    low, high = np.percentile(finite, [2, 99.8]) if finite.size else (0, 1)
    axes.imshow(
        energies, cmap="magma", vmin=low, vmax=high, aspect="auto", origin="lower",
        extent=(0, frames * frame_duration, 0, bands),
    )  # fmt: skip
    axes.set_ylabel("band")


def _draw_words(main, above, words, inches):
    """Draws the boundaries in all panels, and the words above the topmost; `inches` is the length of a time unit."""
    for axes, color in [(main, "tab:orange"), *((axes, "white") for axes in above)]:
        for time in {time for _, *times in words for time in times}:
            axes.axvline(time, color=color, linewidth=0.8, alpha=0.9)
    crowded = any(len(text) * 0.075 > (end - start) * inches for text, start, end in words)
    style = {"rotation": 40, "ha": "left"} if crowded else {"ha": "center"}
    first, last = main.get_xlim()
    for text, start, end in words:
        if not first <= (start + end) / 2 <= last:
            continue
        [*above, main][0].annotate(
            text, ((start + end) / 2, 1), xytext=(0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
            va="bottom", fontsize=9, parse_math=False, **style,
        )  # fmt: skip


def _matrix(name, x):
    x = np.asarray(ops.convert_to_numpy(x), "float32")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"Expected {name} with two axes, neither empty. Received: shape={x.shape}")
    return x


def _labels(tokens, steps):
    if tokens is None:
        return None
    if len(tokens) != steps:
        raise ValueError(f"Expected a token for each of the {steps} steps. Received: len(tokens)={len(tokens)}")
    return [WHITE_SPACE.get(str(token), str(token)) for token in tokens]


def _checked(path):
    path = None if path is None else Path(path)
    if path is not None and path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"Expected a path that ends in one of {SUFFIXES}. Received: path={str(path)!r}")
    if path is not None and not path.parent.is_dir():
        raise FileNotFoundError(f"Expected a path in a folder that exists. Received: path={str(path)!r}")
    return path


def _save(figure, path):
    """Writes a file beside and renames it, so that no reader ever sees half a figure."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        figure.savefig(beside, format=path.suffix[1:].lower(), dpi=160)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
