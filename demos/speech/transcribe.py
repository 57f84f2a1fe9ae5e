"""Writing down what is said in audio files."""

import json
from pathlib import Path

from demos.speech.audio import check_audio, read_audio
from demos.speech.errors import UserError

# The shipped model that is used when none is named.
DEFAULT_MODEL = Path(__file__).parents[2] / "saved_models" / "commands"

# Recordings of a minute need much memory for their alignments.
_BATCH_SIZE = 8


def check_files(paths):
    """Raise one UserError with a line for each audio file that cannot be transcribed, if there is any."""
    problems = []
    for path in paths:
        try:
            check_audio(path)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))


def transcribe_files(paths, recogniser):
    """Transcribe audio files.

    Args:
        paths: of the files, see `read_audio`.
        recogniser: a `Recogniser`.

    Yields:
        For each file, in order, its path, its waveform `(samples,)` and its `Transcript`.

    Raises:
        UserError: a file cannot be read.
    """
    from demos.speech.recognition import recognise

    utterances = ({"path": path, "audio": read_audio(path, recogniser.sample_rate)} for path in paths)
    for utterance, transcript in recognise(recogniser.transcribe, utterances, _BATCH_SIZE):
        yield utterance["path"], utterance["audio"], transcript


def print_transcripts(paths, recogniser, as_json=False, plot_folder=None):
    """Print the texts of audio files as soon as they are known, and draw their alignments.

    Args:
        paths: of the files.
        recogniser: a `Recogniser`.
        as_json: whether to print an object a line instead of the text.
        plot_folder: folder for the figures; none are drawn when None.

    Raises:
        UserError: a file cannot be read, or a figure not written.
    """
    figures = figure_paths(paths, plot_folder) if plot_folder else [None] * len(paths)
    transcripts = transcribe_files(paths, recogniser)
    for (path, waveform, transcript), figure in zip(transcripts, figures, strict=True):
        if figure:
            from demos.speech.figures import draw_transcript

            draw_transcript(figure, waveform, recogniser.sample_rate, transcript, title=transcript.text)
        print(_line(path, transcript, as_json, len(paths) > 1), flush=True)


def figure_paths(paths, folder):
    """A PNG file in `folder` for each audio file: of its name, and numbered where that would not be unique.

    >>> [path.name for path in figure_paths(["a/x.wav", "b/x.wav", "y.ogg"], "plots")]
    ['x.png', 'x_2.png', 'y.png']
    """
    taken = {}  # a dict, for it keeps the order
    for path in paths:
        stem = Path(path).stem
        names = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(paths) + 1))
        taken[next(name for name in names if name not in taken)] = path
    return [Path(folder, f"{name}.png") for name in taken]


def _line(path, transcript, as_json, several):
    if as_json:
        values = {"file": str(path), "text": transcript.text, "score": round(transcript.score, 6)}
        return json.dumps(values, ensure_ascii=False)
    return f"{path}: {transcript.text}" if several else transcript.text
