"""Writing down what is said in audio files of any length."""

import contextlib
import itertools
import math
import sys
from pathlib import Path

import numpy as np

from demos.speech.audio import check_audio
from demos.speech.errors import UserError
from demos.speech.files import write_beside
from demos.speech.formats import FORMATS, unique_files
from demos.speech.quiet import silence
from demos.speech.recording import Recording, Segment
from demos.speech.segmentation import SegmentationConfig, cut_recording

# The shipped model that is used when none is named.
DEFAULT_MODEL = Path(__file__).parents[2] / "saved_models" / "digits"

# Segments at a time: for the model, since long ones need much memory for their alignments; and to be sorted by length.
_BATCH_SIZE = 8
_HELD = 64

# Of recordings of one voice, so much tells how it differs.
ADAPTATION_SECONDS = 120


def check_files(paths):
    """The lengths of audio files in seconds.

    Raises:
        UserError: there are files that cannot be transcribed, with a line for each.
    """
    durations, problems = [], []
    # What the decoder of MP3 says of a bad file in many lines is said in one here.
    with silence():
        for path in paths:
            try:
                durations.append(check_audio(path, longest=math.inf)[1])
            except UserError as error:
                problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
    return durations


def open_adapted(path, paths, segmentation=SegmentationConfig(), decoding=None, phrases=()):
    """A `Recogniser` that is adapted to the one speaker of audio files, of which it hears two minutes for that.

    Args:
        path: of a run folder or a `.keras` file.
        paths: of the audio files.
        segmentation: a `SegmentationConfig`.
        decoding, phrases: as for `open_recogniser`.

    Raises:
        UserError: as `open_recogniser`; or it is a SavedModel, which cannot be adapted.
    """
    from demos.speech.adaptation import find_voices
    from demos.speech.loading import Recogniser, open_model, run_config, search_of

    model, config = open_model(path), run_config(path).replace(decoding=decoding or {})
    transcribe = search_of(model, config.decoding, phrases, takes_voices=True)
    heard, missing = [], ADAPTATION_SECONDS * model.features_config.sample_rate
    for piece in pieces_of_one_voice(paths, model.features_config.sample_rate, segmentation):
        heard.append(piece)
        missing -= len(piece["audio"])
        if missing <= 0:
            break
    voice = find_voices(model, transcribe, heard)[0]
    return Recogniser(transcribe, model.features_config.sample_rate, model.vocabulary.symbols, voice)


def transcribe_files(paths, durations, recogniser, segmentation=SegmentationConfig(), plot_folder=None):
    """Transcribe audio files, a few segments at a time, however long they are.

    Args:
        paths: of the files, see `read_blocks`.
        durations: of the files, as of `check_files`.
        recogniser: a `Recogniser`.
        segmentation: a `SegmentationConfig`.
        plot_folder: folder for a figure of each segment; none are drawn when None.

    Yields:
        A `Recording` for each file, in order.

    Raises:
        UserError: a file cannot be read, or a figure not written.
    """
    from demos.speech.recognition import recognise

    starts = [0.0, *itertools.accumulate(durations)]
    figures = unique_files(paths, plot_folder, ".png") if plot_folder else [None] * len(paths)
    pieces = _pieces(paths, recogniser.sample_rate, segmentation)
    if recogniser.voice is not None:
        pieces = ({**piece, "voice": recogniser.voice} for piece in pieces)
    groups = iter(lambda: list(itertools.islice(pieces, _HELD)), [])
    recognised = (pair for group in groups for pair in recognise(recogniser.transcribe, group, _BATCH_SIZE))
    with _progress(sum(durations)) as progress:
        for number, pairs in itertools.groupby(recognised, lambda pair: pair[0]["file"]):
            segments = []
            for piece, transcript in pairs:
                if len(piece["audio"]):
                    end = min(piece["start"] + len(piece["audio"]) / recogniser.sample_rate, durations[number])
                    segments.append(Segment.of(transcript, piece["start"], end))
                    _draw(figures[number], piece, recogniser.sample_rate, transcript)
                    progress(starts[number] + end)
            yield Recording(str(paths[number]), round(durations[number], 3), tuple(segments))


def print_recordings(recordings, targets, format="text"):
    """Print or write down recordings as soon as each is known; of what is written down, the path is printed.

    Args:
        recordings: iterable of `Recording`.
        targets: for each, a path, None for standard output.
        format: name of the format.

    Raises:
        UserError: a file cannot be written.
    """
    import tqdm

    for target, recording in zip(targets, recordings, strict=True):
        written = FORMATS[format][1](recording)
        if target:
            with write_beside(target) as beside:
                beside.write_text(written, encoding="utf-8", newline="\n")
            written = f"{target}\n"
        elif format == "text" and len(targets) > 1:
            written = f"{recording.path}: {written}"
        with tqdm.tqdm.external_write_mode(sys.stdout):
            print(written, end="", flush=True)


def pieces_of_one_voice(paths, sample_rate, segmentation):
    """The segments of all files, with a speaker."""
    for piece in _pieces(paths, sample_rate, segmentation):
        yield {**piece, "speaker": b"the only one"}


def _pieces(paths, sample_rate, segmentation):
    """The segments of all files, as `recognise` takes them; one without samples for a file in which nothing is said."""
    for number, path in enumerate(paths):
        segments = cut_recording(path, sample_rate, segmentation)
        first = next(segments, (0.0, np.zeros(0, "float32")))
        for start, waveform in itertools.chain([first], segments):
            yield {"file": number, "start": start, "audio": waveform}


def _draw(path, piece, sample_rate, transcript):
    """Draw a segment; all but the first of a file have the time at which they start in their name."""
    if path:
        from demos.speech.figures import draw_transcript

        if piece["start"]:
            path = path.with_stem(f"{path.stem}-{piece['start']:.2f}s")
        draw_transcript(path, piece["audio"], sample_rate, transcript, title=transcript.text)


@contextlib.contextmanager
def _progress(total):
    """A function that shows how many of `total` seconds are done."""
    import tqdm

    bar = tqdm.tqdm(total=round(total), unit="s", desc="Transcribing", leave=False, disable=None)
    with bar:
        yield lambda done: bar.update(round(done) - bar.n)
