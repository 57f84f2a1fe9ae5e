"""Which scorer, and which alignment function? Every pair trained under the same budget, and what came of each."""

import dataclasses
import json
import sys
from pathlib import Path

import tqdm

from demos.speech import comparison_page, comparison_run, training
from demos.speech.comparison_options import SETTINGS
from demos.speech.comparison_table import Row, summary
from demos.speech.config import Config
from demos.speech.errors import UserError
from demos.speech.files import check_writable
from demos.speech.processes import run_module
from demos.speech.settings import override
from keras_attn import alignments, scorers


@dataclasses.dataclass(frozen=True)
class Run:
    """One training: its run folder, a `pathlib.Path`, and its `Config`."""

    folder: Path
    config: Config

    @property
    def name(self):
        speller = self.config.speller
        return f"{speller.scorer} x {speller.alignment}, seed {self.config.training.seed}"

    @property
    def result(self):
        """What `comparison_run` found, a dict; None before its end."""
        path = self.folder / comparison_run.RESULT
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def settings(dataset, epochs, texts=()):
    """The `Config` that all runs share.

    Args:
        dataset: as for `training.open_corpus`.
        epochs: passes over the data.
        texts: further settings, each `NAME=VALUE`.

    Raises:
        UserError: a setting makes no sense.
    """
    config = Config.of_dataset(dataset).replace(**SETTINGS).replace(training={"epochs": epochs})
    for text in texts:
        config = config.replace(**override(text))
    return config


def compare(config, scorer_names, alignment_names, seeds, folder, data_dir=None):
    """Train and evaluate every pair, and write `comparison.html`, `.png`, `.md` and `.json`, anew after every run.

    A run that is done is not done again, one that was stopped is gone on with, and one that failed is tried again. What
    one of them fails of is said in the table. Progress goes to standard error.

    Args:
        config: a `Config`, of which each run has its own scorer, alignment function and seed.
        scorer_names, alignment_names: lists of names of `keras_attn`.
        seeds: runs of each pair.
        folder: `pathlib.Path` of the folder for all.
        data_dir: folder of TFDS; its own default when None.

    Returns:
        A list of `Row`, best first.

    Raises:
        UserError: there is no such function, or no such data; the folder cannot be written, or holds runs with other
            settings.
    """
    pairs = _pairs(scorer_names, alignment_names)
    # Here, as it would fail in all runs alike; and they are to have all settings alike.
    config = training.with_budget(config, training.open_corpus(config, data_dir))
    runs = {pair: _runs(config, pair, seeds, folder) for pair, reason in pairs.items() if not reason}
    every = [run for several in zip(*runs.values(), strict=True) for run in several]
    for run in every:
        _check_settings(run)
    check_writable(folder)
    errors = {}

    def rows():
        return [_row(pair, reason, runs.get(pair, []), errors) for pair, reason in pairs.items()]

    with tqdm.tqdm(every, unit=" runs", disable=None) as progress:
        for run in progress:
            progress.set_description(run.name)
            if run.result is None:
                errors[run] = run_in_process(run, data_dir)
                comparison_page.write(folder, config, rows())
            progress.write(f"{run.name}: {summary(run.result) if run.result else errors[run]}", file=sys.stderr)
    return comparison_page.write(folder, config, rows())


def run_in_process(run, data_dir=None):
    """Do a `Run` in a process of its own, whose output goes to `log.txt` in the run folder; the error, or None."""
    asked = {"config": run.config.to_dict(), "run": str(run.folder), "data_dir": data_dir and str(data_dir)}
    return run_module(comparison_run.__name__, asked, run.folder / "log.txt")


def _pairs(scorer_names, alignment_names):
    """For each pair of names, why it makes no sense, or None."""
    try:
        found = {name: scorers.get(name) for name in scorer_names}
        aligners = {name: alignments.get(name) for name in alignment_names}
    except (TypeError, ValueError) as error:
        raise UserError(str(error).splitlines()[0]) from None
    return {(one, other): _nonsense(found[one], aligners[other]) for one in found for other in aligners}


def _nonsense(scorer, alignment):
    try:
        alignment.require_sense(scorer)
    except ValueError as error:
        return str(error).partition(" Received:")[0]


def _runs(config, pair, seeds, folder):
    scorer, alignment = pair
    return [
        Run(
            folder / "runs" / f"{scorer}-{alignment}-{seed}",
            config.replace(speller={"scorer": scorer, "alignment": alignment}, training={"seed": seed}),
        )
        for seed in range(seeds)
    ]


def _check_settings(run):
    path = run.folder / "config.json"
    if path.exists() and Config.load(path) != run.config:
        raise UserError(f"{run.folder} holds a run with other settings: choose another folder with --run")


def _row(pair, reason, runs, errors):
    """The `Row` of a pair of which these runs may be done or not."""
    failed = [f"seed {run.config.training.seed}: {errors[run]}" for run in runs if errors.get(run)]
    remark = reason or "; ".join(failed)
    return Row(*pair, tuple(run.result for run in runs if run.result), remark, possible=reason is None)
