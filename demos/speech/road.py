"""The whole road in one go: build the data, train, evaluate, export, and transcribe with what was exported."""

import contextlib
import time
from pathlib import Path

import soundfile

from demos.speech import training
from demos.speech.callbacks import RunState
from demos.speech.config import Config
from demos.speech.evaluation import evaluate, print_table
from demos.speech.export import export
from demos.speech.figures import draw_transcript
from demos.speech.files import write_beside
from demos.speech.loading import open_recogniser
from demos.speech.recognition import recognise
from demos.speech.word_times import true_words

RUN = Path("runs/demo")


def run(run_dir=RUN, data_dir=None, config=None, verbose="auto"):
    """Do all stages, print what happens, and list at the end what was left where.

    A run folder that holds a run is gone on with, whatever `config` says; what is trained is not trained again.

    Args:
        run_dir: the run folder.
        data_dir: folder of TFDS; its own default when None.
        config: a `Config`; its defaults when None.
        verbose: as for `keras.Model.fit`.

    Returns:
        What `evaluate` returns.

    Raises:
        UserError: something cannot be read or written.
    """
    run_dir, start = Path(run_dir), time.perf_counter()
    old = (run_dir / "config.json").exists()
    config = Config.load(run_dir / "config.json") if old else config or Config()
    with _stage(1, f"Data: {config.dataset}"):
        corpus = training.open_corpus(config, data_dir)
        config = training.with_budget(config, corpus)
        print(", ".join(f"{corpus.size(split)} utterances for {split}" for split in corpus.splits))
    with _stage(2, f"Training: {config.training.epochs} epochs at most, in {run_dir}"):
        _train(config, run_dir, data_dir, old, verbose)
    with _stage(3, "Evaluation on test"):
        results = evaluate(run_dir, "test", data_dir)
        print_table(results)
    with _stage(4, "Export"):
        export(run_dir, run_dir / "saved_model")
        print(f"{run_dir / 'saved_model'}: a SavedModel, for which TensorFlow alone is enough")
    with _stage(5, "One test recording through the SavedModel"):
        transcribe_one(corpus, run_dir)
    _print_end(run_dir, results, time.perf_counter() - start)
    return results


def transcribe_one(corpus, run_dir):
    """Write the first test recording as `recording.wav`, transcribe it with the SavedModel and draw the result."""
    utterance = next(iter(corpus.utterances("test").as_numpy_iterator()))
    with write_beside(run_dir / "recording.wav") as beside:
        soundfile.write(beside, utterance["audio"], corpus.sample_rate, subtype="PCM_16")
    recogniser = open_recogniser(run_dir / "saved_model")
    ((_, transcript),) = recognise(recogniser.transcribe, [utterance])
    words = true_words(utterance)
    figure = run_dir / "recording.png"
    draw_transcript(figure, utterance["audio"], corpus.sample_rate, transcript, words, f"recognised: {transcript.text}")
    print(f"said        {utterance['text'].decode()}")
    print(f"recognised  {transcript.text or '(nothing)'}")
    times = [f"{word.text} {word.start:.2f}-{word.end:.2f} s" for word in transcript.words]
    print(f"words       {', '.join(times)}")


def _train(config, run_dir, data_dir, old, verbose):
    if old:
        state = RunState(run_dir, config.training.patience)
        if state.finished(config.training.epochs):
            print(f"done already, {state.epochs} epochs; to train anew, choose another folder or remove this one")
            return
        print(f"going on after {state.epochs} epochs")
    training.train(config, run_dir, data_dir, resume=old, verbose=verbose)


@contextlib.contextmanager
def _stage(number, title):
    start = time.perf_counter()
    print(f"\n[{number}/5] {title}", flush=True)
    yield
    print(f"      took {_duration(time.perf_counter() - start)}", flush=True)


def _print_end(run_dir, results, seconds):
    lines = [
        ("saved_model", "the SavedModel"),
        ("model.keras", "the same model for Keras, to be trained further"),
        ("evaluation.json", "all figures of the evaluation"),
        ("plots", "alignments after each epoch, and of the evaluation"),
        ("recording.wav", "a test recording"),
        ("recording.png", "what the SavedModel made of it"),
        ("logs", "for TensorBoard"),
        ("config.json", "all settings, for --config"),
    ]
    print(f"\nDone in {_duration(seconds)}. Word error rate on test: {results['wer']:.2%}\n\nLeft in {run_dir}:")
    for name, meaning in lines:
        print(f"  {name:<16} {meaning}")
    print("\nTo try next:")
    print(f"  python -m demos.speech transcribe {run_dir / 'recording.wav'} --model {run_dir / 'saved_model'}")
    print("  python -m demos.speech train --dataset spoken_digit --run runs/spoken_digit")


def _duration(seconds):
    """A time as a person says it.

    >>> _duration(4.21), _duration(754)
    ('4.2 s', '12 min 34 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
