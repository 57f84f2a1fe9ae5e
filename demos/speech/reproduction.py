"""The figures of the docs made again: every experiment trained, measured, and put into one table."""

import json
import sys
from pathlib import Path

import numpy as np
import tqdm

from demos.speech.comparison_table import COLUMNS
from demos.speech.errors import UserError
from demos.speech.experiments import EXPERIMENTS
from demos.speech.files import check_writable, write_beside
from demos.speech.processes import run_module

_RESULT = "result.json"
_SELF_TRAINED = "self_trained"
_CELLS = [
    column for column in COLUMNS if column.key in ("wer", "boundary_error_ms", "boundary_error_p95_ms", "mass_inside")
]


def reproduce(names, folder, data_dir=None):
    """Do every trial of the named experiments, and write `figures.md` and `figures.json`, anew after every trial.

    What is done is not done again, and what was stopped is gone on with. Progress goes to standard error.

    Args:
        names: keys of `EXPERIMENTS`; all when empty.
        folder: `pathlib.Path` of the folder for all.
        data_dir: folder of TFDS; its own default when None.

    Returns:
        What is in `figures.md`.

    Raises:
        UserError: there is no such experiment; a trial failed; the folder cannot be written.
    """
    if unknown := sorted(set(names) - set(EXPERIMENTS)):
        raise UserError(f"Expected experiments among {', '.join(EXPERIMENTS)}. Received: {', '.join(unknown)}")
    check_writable(folder)
    every = [(name, trial) for name in names or EXPERIMENTS for trial in EXPERIMENTS[name].trials]
    with tqdm.tqdm(every, unit=" trials", disable=None) as progress:
        for name, trial in progress:
            run = _place(folder, name, trial)
            if not (run / _RESULT).exists():
                _do(
                    trial,
                    run,
                    data_dir,
                    lambda what, of=f"{name}, {trial.name}": progress.set_description(f"{of}: {what}"),
                )
                write(folder)
            progress.write(f"{name}, {trial.name}: words wrong {_result(run)['wer']:.2%}", file=sys.stderr)
    return write(folder)


def commands(trial, run, data_dir=None):
    """The arguments of the commands of a trial, each a list of strings; a training that was begun is gone on with.

    >>> from pathlib import Path
    >>> from demos.speech.experiments import Trial
    >>> for arguments in commands(Trial("seed 0", ("--dataset", "spoken_digit")), Path("runs/a")):
    ...     print(*arguments)
    train --run runs/a --dataset spoken_digit
    evaluate --model runs/a
    """
    places = [] if data_dir is None else ["--data-dir", str(data_dir)]
    others = [run / f"other_{number}" for number in range(len(trial.ensemble))]
    for folder, train in zip([run, *others], [trial.train, *trial.ensemble], strict=True):
        yield ["train", "--run", str(folder), *(["--resume"] if (folder / "config.json").exists() else train), *places]
    search = [part for folder in others for part in ("--ensemble", str(folder))]
    if trial.language_model:
        yield ["train-lm", "--model", str(run), *places]
        search += ["--language-model", str(run / "language_model.keras")]
    yield ["evaluate", "--model", str(run), *trial.evaluate, *search, *places]
    if trial.robustness:
        yield ["robustness", "--model", str(run), *trial.evaluate, *places]
    if trial.self_train:
        new = run / _SELF_TRAINED
        if not (new / "config.json").exists():
            yield ["self-train", "--model", str(run), "--run", str(new), "--split", trial.self_train, *places]
        yield ["evaluate", "--model", str(new), *places]


def write(folder):
    """Write `figures.md` and `figures.json` of all that is done in a folder; the former is returned."""
    found = {name: _results(folder, name) for name in EXPERIMENTS}
    found = {name: results for name, results in found.items() if results}
    text = table(found)
    for path, content in (("figures.md", text), ("figures.json", json.dumps(found, indent=1))):
        with write_beside(folder / path) as beside:
            beside.write_text(content + "\n", encoding="utf-8")
    return text


def table(experiments):
    """The results of trials as Markdown, with means.

    Args:
        experiments: dict from names of experiments to dicts from names of trials to their results.
    """
    rows = [["experiment", "trial", *(column.heading for column in _CELLS)], ["---"] * (2 + len(_CELLS))]
    for name, results in experiments.items():
        rows += [[f"`{name}`", trial, *_cells(result)] for trial, result in results.items()]
        if len(results) > 1:
            mean = {column.key: np.mean([result[column.key] for result in results.values()]) for column in _CELLS}
            rows.append([f"`{name}`", f"mean of {len(results)}", *(f"**{cell}**" for cell in _cells(mean))])
        for what, key in {"not adapted": "unadapted_wer", "self-trained": "self_trained_wer"}.items():
            found = {trial: result[key] for trial, result in results.items() if key in result}
            if len(found) > 1:
                found["mean"] = np.mean(list(found.values()))
            rows += [_error_rate(name, f"{trial}, {what}", wer) for trial, wer in found.items()]
        for result in results.values():
            conditions = result.get("conditions", {}).items()
            rows += [_error_rate(name, condition, one["wer"]) for condition, one in conditions]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _error_rate(name, trial, wer):
    """A row that has nothing but words wrong."""
    return [f"`{name}`", trial, _CELLS[0].write(wer), *[""] * (len(_CELLS) - 1)]


def _cells(result):
    return [column.write(result[column.key]) if result.get(column.key) is not None else "-" for column in _CELLS]


def _do(trial, run, data_dir, tell):
    for arguments in commands(trial, run, data_dir):
        tell(arguments[0])
        if error := run_module("demos.speech.command", arguments, Path(arguments[2]) / f"{arguments[0]}.txt"):
            raise UserError(f"python -m demos.speech {' '.join(arguments)}: {error}")
    result = json.loads((run / "evaluation.json").read_text())
    if trial.robustness:
        result["conditions"] = json.loads((run / "robustness.json").read_text())["conditions"]
    if trial.self_train:
        result["self_trained_wer"] = json.loads((run / _SELF_TRAINED / "evaluation.json").read_text())["wer"]
    with write_beside(run / _RESULT) as beside:
        beside.write_text(json.dumps(result, indent=1) + "\n")


def _place(folder, name, trial):
    return folder / name / trial.name.replace(" ", "_")


def _result(run):
    return json.loads((run / _RESULT).read_text())


def _results(folder, name):
    places = {trial.name: _place(folder, name, trial) for trial in EXPERIMENTS[name].trials}
    return {trial: _result(run) for trial, run in places.items() if (run / _RESULT).exists()}
