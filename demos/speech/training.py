"""Training: what is trained, on what, and in which run folder.

A run folder holds `config.json`, the best model `model.keras`, `state/` (what `--resume` needs, with the numbers of
every epoch in `history.json`), `logs/` for TensorBoard and `plots/`.
"""

import dataclasses

import keras
import tensorflow as tf

from demos.speech import corpora, pipeline, vocabularies
from demos.speech.alignment_advice import AlignmentAdvice
from demos.speech.alignment_plots import AlignmentPlots
from demos.speech.callbacks import EpochNumber, RunState, ValidationErrorRates
from demos.speech.config import Config, DataConfig
from demos.speech.datasets.resampled import resampled
from demos.speech.errors import UserError
from demos.speech.files import check_writable, remove_unfinished, write_beside
from demos.speech.model import ListenAttendSpell
from demos.speech.summaries import Summaries

# Batches from which the statistics of the features are taken.
_STATISTICS_BATCHES = 20
# Settings of `DataConfig` that say how texts are written.
_OF_TEXTS = ("lowercase", "keep_punctuation")


def train(config, run, data_dir=None, resume=False, verbose="auto", callbacks=()):
    """Train a recogniser.

    Args:
        config: a `Config`.
        run: `pathlib.Path` of the run folder.
        data_dir: folder of TFDS; its own default when None.
        resume: whether to go on with what is in the run folder; its `config.json` then counts, not `config`.
        verbose: as for `keras.Model.fit`.
        callbacks: further ones of Keras.

    Returns:
        The path of the best model.

    Raises:
        UserError: the folder holds a run already, or none to resume, or cannot be written.
    """
    config = _settings(config, run, resume)
    # The same seed gives the same numbers; without it a resumed run would drift from one that was not killed.
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.training.seed)
    corpus = open_corpus(config, data_dir)
    known = (text for split in ("train", "validation") for text in texts(corpus, split))
    vocabulary = vocabularies.make(config, known)
    config = with_budget(config, corpus)
    batches = pipeline.TrainingBatches(corpus, vocabulary, config)
    validation = pipeline.evaluation_batches(corpus, "validation", vocabulary, config.training.batch_size)
    model = make_model(config, vocabulary, corpus.sample_rate, config.training.epochs * batches.steps)
    # Now that nothing is wrong with the settings, the folder becomes that of this run.
    with write_beside(run / "config.json") as beside:
        config.save(beside)
    state = RunState(run, config.training.patience)
    if not state.restore(model):
        first = batches.dataset.take(_STATISTICS_BATCHES)
        features = (model.features(batch["waveform"], batch["num_samples"]) for batch in first)
        model.normalization.adapt(features)
    recognised = ValidationErrorRates(list(corpus.utterances("validation").as_numpy_iterator()), config.decoding)
    if not state.finished(config.training.epochs):
        model.fit(
            batches.dataset,
            validation_data=validation,
            epochs=config.training.epochs,
            initial_epoch=state.epochs,
            callbacks=[
                EpochNumber(batches),
                recognised,
                AlignmentPlots(run, recognised, corpus.sample_rate),
                keras.callbacks.TensorBoard(run / "logs", write_graph=False),
                Summaries(run),
                AlignmentAdvice(config),
                *callbacks,
                state,
            ],
            shuffle=False,
            verbose=verbose,
        )
    return run / "model.keras"


def open_corpus(config, data_dir=None, dataset=None):
    """The corpus that a configuration names, or `dataset`, whose texts are then written, and which is heard, alike."""
    if dataset is not None:
        own = {name: getattr(config.data, name) for name in _OF_TEXTS if name in corpora.options_of(dataset)}
        config = dataclasses.replace(config, dataset=dataset, test_speaker=None, data=DataConfig(**own))
    asked = {"test_speaker": config.test_speaker, **dataclasses.asdict(config.data)}
    options = {name: value for name, value in asked.items() if value not in (None, False)}
    # What is not asked of the data, but follows from the model; only some corpora can make use of it.
    implied = {
        "sample_rate": config.features.sample_rate,
        "frame_seconds": config.listener.reduction * config.features.hop,
        "tokens": config.tokens,
    }
    known = corpora.options_of(config.dataset)
    options |= {name: value for name, value in implied.items() if name in known and value is not None}
    corpus = corpora.get(config.dataset, data_dir, **options)
    return resampled(corpus, config.features.sample_rate or corpus.sample_rate)


def with_budget(config, corpus):
    """The configuration with numbers of epochs that fit the corpus."""
    return dataclasses.replace(config, training=config.training.budget(pipeline.steps_per_epoch(corpus, config)))


def texts(corpus, split):
    """The texts of a split."""
    for text in corpus.utterances(split).map(lambda utterance: utterance["text"]).as_numpy_iterator():
        yield text.decode()


def make_model(config, vocabulary, sample_rate, steps):
    """A model with new weights, compiled for a training of `steps` steps."""
    training = config.training
    features = dataclasses.replace(config.features, sample_rate=sample_rate)
    try:
        model = ListenAttendSpell(
            vocabulary,
            features,
            config.listener,
            config.speller,
            dataclasses.asdict(config.spec_augment),
            training.ctc_weight,
            training.label_smoothing,
            training.guided_attention,
        )
    except (TypeError, ValueError) as error:
        raise UserError(f"The settings make no model: {str(error).splitlines()[0]}") from error
    compile_model(model, training, steps)
    return model


def compile_model(model, training, steps):
    """Compile a model for `steps` steps of a `TrainingConfig`."""
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=training.learning_rate / 100,
        warmup_target=training.learning_rate,
        warmup_steps=max(1, round(training.warmup * steps)),
        decay_steps=max(1, round((1 - training.warmup) * steps)),
        alpha=0.01,
    )
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=training.clip_norm)
    optimizer.build(model.trainable_variables)
    # XLA cannot compile loops of unknown length.
    model.compile(optimizer, jit_compile=False)


def _settings(config, run, resume):
    """The configuration that counts."""
    path = run / "config.json"
    if resume:
        if not path.exists():
            raise UserError(f"There is no run to resume in {run}: it has no config.json")
        remove_unfinished(run)
        return Config.load(path)
    if path.exists():
        raise UserError(f"{run} holds a run already: go on with --resume, or choose another folder with --run")
    check_writable(path)
    return config
