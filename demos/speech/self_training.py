"""Self-training: a recogniser goes on learning from recordings whose texts it has written itself."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
import tqdm

from demos.speech import corpora, pipeline
from demos.speech.adaptation import find_voices
from demos.speech.audio import to_pcm
from demos.speech.callbacks import EpochNumber
from demos.speech.errors import UserError
from demos.speech.files import check_writable, write_beside
from demos.speech.loading import MODEL_FILE, open_model, run_config, search_of
from demos.speech.recognition import recognise
from demos.speech.self_training_config import SelfTrainingConfig
from demos.speech.training import compile_model, open_corpus


class LabelledAndKnown:
    """Utterances whose texts a recogniser wrote, then as many of those that it was trained on, as a corpus to train on.

    The latter keep it from believing what it made up, and from forgetting.

    Args:
        utterances: sequence of dicts with `audio`, float or int16 `(samples,)`, at the sample rate of `known`.
        texts: of each, strings.
        known: a corpus, as `demos.speech.corpora` describes it.
    """

    splits = ("train",)

    def __init__(self, utterances, texts, known):
        self.name, self.sample_rate = known.name, known.sample_rate
        self._utterances, self._texts, self._known = utterances, texts, known

    def size(self, split):
        """The number of utterances in a split."""
        return len(self._texts) + min(len(self._texts), self._known.size(split))

    def utterances(self, split, seed=0, epoch=0):
        """The utterances of a split, with audio and text alone."""
        audios = [utterance["audio"] for utterance in self._utterances]
        audios = [audio if audio.dtype == np.int16 else to_pcm(audio) for audio in audios]
        texts = tf.constant(self._texts)
        audio = tf.RaggedTensor.from_row_lengths(np.concatenate(audios), [len(audio) for audio in audios])
        labelled = tf.data.Dataset.range(len(audios)).map(lambda index: {"audio": audio[index], "text": texts[index]})
        known = self._known.utterances(split, seed, epoch).take(len(self._texts))
        known = known.map(lambda utterance: {name: utterance[name] for name in ("audio", "text")})
        return labelled.concatenate(known)


def self_train(path, run, record=None, split="test", dataset=None, data_dir=None, options=None, verbose="auto"):
    """Go on training a recogniser with recordings whose texts nobody knows, above all of a voice that it never heard.

    In each round it writes their texts, and learns these, with as many of the utterances that it was trained on beside
    them, in all the variety of its training. In the first round each speaker has a `Voice`, see `find_voices`.
    The data of the run must be there, but of the recordings no text is read.

    Args:
        path: run folder of the model, or a `.keras` file with its `config.json` beside it.
        run: `pathlib.Path` of the run folder to make, with `model.keras` and `config.json`.
        record: function of the sample rate, Hz, that returns recordings: a list of dicts with `audio`, float or int16
            `(samples,)`, and a `speaker`, bytes. Those of a split of the data are taken when None.
        split, dataset, data_dir: as for `evaluate`.
        options: a `SelfTrainingConfig`.
        verbose: as for `keras.Model.fit`.

    Returns:
        The path of the model.

    Raises:
        UserError: the model or the data cannot be read; the folder cannot be written or holds a run already; nothing
            is recognised in the recordings.

    Reference: Kahn, Lee, Hannun, Self-Training for End-to-End Speech Recognition, 2020, arXiv:1909.09116.
    """
    options = options or SelfTrainingConfig()
    if (run / "config.json").exists():
        raise UserError(f"{run} holds a run already: choose another folder with --run")
    check_writable(run / "config.json")
    model, config = open_model(path), run_config(path)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.training.seed)
    at_its_rate = config.replace(features={"sample_rate": model.features_config.sample_rate})
    known = open_corpus(at_its_rate, data_dir)
    if record:
        utterances = record(known.sample_rate)
    else:
        corpus = open_corpus(at_its_rate, data_dir, dataset) if dataset else known
        corpora.check_split(corpus, split)
        utterances = list(corpus.utterances(split).as_numpy_iterator())
    transcribe = search_of(model, config.decoding, takes_voices=True)
    voices = find_voices(model, transcribe, utterances)
    heard = [{**utterance, "voice": voice} for utterance, voice in zip(utterances, voices, strict=True)]
    for number in range(options.rounds):
        written = _written(transcribe, heard)
        _learn(model, config, LabelledAndKnown(*written, known), options, number, verbose)
        transcribe, heard = search_of(model, config.decoding), utterances
    with write_beside(run / MODEL_FILE) as beside:
        model.save(beside)
    with write_beside(run / "config.json") as beside:
        config.save(beside)
    return run / MODEL_FILE


def _written(transcribe, utterances):
    """The utterances in which something was recognised, and what."""
    recognised = recognise(transcribe, utterances)
    found = tqdm.tqdm(recognised, "Writing texts", len(utterances), unit=" utterances", leave=False, disable=None)
    pairs = [(utterance, transcript.text) for utterance, transcript in found if transcript.text]
    if not pairs:
        raise UserError(f"Nothing was recognised in {len(utterances)} recordings: there is nothing to learn from them")
    return zip(*pairs, strict=True)


def _learn(model, config, corpus, options, number, verbose):
    """Round `number` of learning."""
    training = dataclasses.replace(config.training, learning_rate=options.learning_rate)
    # Nobody knows when the words are said.
    batches = pipeline.TrainingBatches(corpus, model.vocabulary, dataclasses.replace(config, word_cut=0.0))
    compile_model(model, training, options.epochs * batches.steps)
    if verbose:
        print(f"Round {number + 1} of {options.rounds}", flush=True)
    callbacks = [EpochNumber(batches, first=options.epochs * number)]
    model.fit(batches.dataset, epochs=options.epochs, callbacks=callbacks, shuffle=False, verbose=verbose)
