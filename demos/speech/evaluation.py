"""How well a trained model does on a split: error rates, alignments against the true times, the worst utterances."""

import json
import time
from pathlib import Path

import tqdm

from demos.speech import corpora
from demos.speech.adaptation import find_voices
from demos.speech.config import Config
from demos.speech.errors import UserError
from demos.speech.evaluation_plots import Gallery
from demos.speech.evaluation_table import format_table
from demos.speech.files import write_beside
from demos.speech.judgement import judge, totals, word_error_rates_of
from demos.speech.loading import open_model, search_of
from demos.speech.recognition import recognise
from demos.speech.training import open_corpus, texts


def evaluate(run, split="test", data_dir=None, decoding=None, plots=5, phrases=(), dataset=None, adapt=False):
    """Recognise a split of the data of a run, or of other data, and measure how well.

    Writes `evaluation.json`, and in `plots/evaluation` the figures of the worst utterances and of a few others, into
    the folder of the model. Progress goes to standard error, when that is a terminal.

    Args:
        run: a run folder, or a `.keras` file with its `config.json` beside it.
        split: `"train"`, `"validation"` or `"test"`.
        data_dir: folder of TFDS; its own default when None.
        decoding: settings of the search that differ from those of the run, a dict.
        plots: the worst utterances to list and draw.
        phrases: to favour, strings; the words in them are counted by themselves, too.
        dataset: name of other data than that of the run.
        adapt: whether to adapt to each speaker, see `find_voices`.

    Returns:
        What is in `evaluation.json`: the arguments, the results of `judgement.totals`, `seconds` of recognition,
        `audio_seconds` and their ratio `real_time_factor`, and lists of utterances, `worst` and `ordinary`, each a
        dict of `id`, `reference`, `hypothesis`, `wer` and `plot`. If adapted, without the time of that, and with
        `unadapted_wer` and `frequency_warps`, a dict from speakers.

    Raises:
        UserError: the model or its configuration cannot be read; they do not fit the dataset; there is no such split;
            the folder cannot be written.
    """
    model, config, corpus = open_evaluation(run, split, data_dir, decoding, dataset)
    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    gallery = Gallery(corpus.sample_rate, corpus.size(split), worst=plots)
    adapted, add_voice = _adapted(model, config, corpus, split, phrases) if adapt else ({}, None)
    transcribe = search_of(model, config.decoding, phrases, adapt)
    judgements, speed = judgements_of(transcribe, corpus, split, gallery.add, add_voice)
    results = {
        "model": str(run),
        "dataset": corpus.name,
        "split": split,
        "decoding": config.decoding.to_dict(),
        **totals(judgements),
        **word_error_rates_of(judgements, phrases),
        **speed,
        **adapted,
        **gallery.draw(folder / "plots" / "evaluation"),
    }
    with write_beside(folder / "evaluation.json") as beside:
        beside.write_text(json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return results


def open_evaluation(run, split, data_dir=None, decoding=None, dataset=None):
    """The model of a run, its `Config` changed by `decoding`, and its corpus; see `evaluate`."""
    run = Path(run)
    model = open_model(run)
    config = Config.load((run if run.is_dir() else run.parent) / "config.json").replace(decoding=decoding or {})
    config = config.replace(features={"sample_rate": model.features_config.sample_rate})
    corpus = open_corpus(config, data_dir, dataset)
    _check_fit(model, corpus, split)
    return model, config, corpus


def judgements_of(transcribe, corpus, split, add=lambda judgement, utterance, transcript: None, change=None):
    """Recognise a split of a corpus.

    Args:
        transcribe: as for `recognise`.
        corpus: a corpus.
        split: name of the split.
        add: is called with each `Judgement`, its utterance and its `Transcript`.
        change: makes of each utterance the one to recognise; none does when None.

    Returns:
        A list of `Judgement`, and a dict of `seconds` of recognition, `audio_seconds` and their ratio
        `real_time_factor`.
    """
    judgements, audio_seconds = [], 0.0
    with _Watch(transcribe, corpus.size(split)) as watch:
        utterances = corpus.utterances(split).as_numpy_iterator()
        for utterance, transcript in recognise(watch, map(change, utterances) if change else utterances):
            judgements.append(judge(utterance, transcript))
            add(judgements[-1], utterance, transcript)
            audio_seconds += len(utterance["audio"]) / corpus.sample_rate
    seconds = watch.seconds
    speed = {"seconds": seconds, "audio_seconds": audio_seconds, "real_time_factor": seconds / audio_seconds}
    return judgements, speed


def print_table(results):
    """Print what `evaluate` returns, for a person."""
    print(format_table(results))


def _adapted(model, config, corpus, split, phrases):
    """What an evaluation says of adaptation, a dict; and a function that adds its `Voice` to an utterance."""
    plain, _ = judgements_of(search_of(model, config.decoding, phrases), corpus, split)
    utterances = list(corpus.utterances(split).as_numpy_iterator())
    found = find_voices(model, search_of(model, config.decoding, phrases, takes_voices=True), utterances)
    voices = {one["id"]: voice for one, voice in zip(utterances, found, strict=True)}
    warps = {
        (one["speaker"] or one["id"]).decode(): round(float(voices[one["id"]].frequency_warp), 3) for one in utterances
    }
    results = {"unadapted_wer": totals(plain)["wer"], "frequency_warps": warps}
    return results, lambda utterance: {**utterance, "voice": voices[utterance["id"]]}


def _check_fit(model, corpus, split):
    corpora.check_split(corpus, split)
    unknown = sorted(set().union(*texts(corpus, split)) - set(model.vocabulary.characters))
    if unknown:
        raise UserError(
            f"{corpus.name} has characters that the model cannot write: {' '.join(map(repr, unknown))}. "
            f"It knows {model.vocabulary.characters!r}"
        )


class _Watch:
    """A transcribing function that counts the seconds that it takes and shows its progress."""

    def __init__(self, transcribe, total):
        self.transcribe = transcribe
        self.seconds = 0.0
        self.progress = tqdm.tqdm(total=total, unit=" utterances", desc="Recognising", leave=False, disable=None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.progress.close()

    def __call__(self, waveform, num_samples, **voices):
        start = time.perf_counter()
        output = self.transcribe(waveform=waveform, num_samples=num_samples, **voices)
        self.seconds += time.perf_counter() - start
        self.progress.update(len(num_samples))
        return output
