"""One figure of one utterance: of an audio file, or of a dataset."""

import itertools
from pathlib import Path

from demos.speech import corpora
from demos.speech.audio import read_audio
from demos.speech.config import Config
from demos.speech.datasets.resampled import resampled
from demos.speech.errors import UserError
from demos.speech.figures import draw_transcript
from demos.speech.recognition import recognise
from demos.speech.training import open_corpus
from demos.speech.word_times import true_words


def plot_file(recogniser, path, output):
    """Draw what is recognised in an audio file.

    Args:
        recogniser: a `Recogniser`.
        path: the audio file.
        output: the figure, `.png` or `.svg`.

    Raises:
        UserError: the file cannot be read, or the figure not written.
    """
    _draw(recogniser, {"audio": read_audio(path, recogniser.sample_rate)}, output)


def plot_utterance(recogniser, corpus, split, index, output):
    """Draw what is recognised in an utterance of a corpus, and its true words.

    Args:
        recogniser: a `Recogniser`.
        corpus: a `Corpus`.
        split: name of the split.
        index: of the utterance, 0 the first.
        output: the figure, `.png` or `.svg`.

    Raises:
        UserError: there is no such utterance, or the figure cannot be written.
    """
    corpora.check_split(corpus, split)
    if not 0 <= index < corpus.size(split):
        raise UserError(f"Expected an index of {split}: 0 to {corpus.size(split) - 1}. Received: index={index}")
    utterances = resampled(corpus, recogniser.sample_rate).utterances(split).as_numpy_iterator()
    _draw(recogniser, next(itertools.islice(utterances, index, None)), output)


def corpus_of(model, dataset=None, data_dir=None):
    """The corpus called `dataset`, or else that on which a model was trained.

    Args:
        model: path of a run folder, or of a model inside one.
        dataset: a name, or None.
        data_dir: folder of TFDS; its own default when None.
    """
    folder = next((folder for folder in (Path(model), Path(model).parent) if (folder / "config.json").exists()), None)
    if folder is None and dataset is None:
        raise UserError(f"There is no config.json beside {model} that tells the dataset: name it with --dataset")
    return open_corpus(Config.load(folder / "config.json") if folder else Config(), data_dir, dataset)


def _draw(recogniser, utterance, output):
    ((_, transcript),) = recognise(recogniser.transcribe, [utterance])
    title = f"recognised: {transcript.text or '(nothing)'}"
    words = true_words(utterance) if "words" in utterance else None
    if words is not None:
        title = f"said: {utterance['text'].decode()}\n{title}"
    draw_transcript(output, utterance["audio"], recogniser.sample_rate, transcript, words, title)
