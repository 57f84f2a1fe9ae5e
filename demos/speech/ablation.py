"""What each rule of the search is good for: the same utterances, searched in one way after the other."""

import dataclasses
import json
from pathlib import Path

from demos.speech.evaluation import judgements_of, open_evaluation
from demos.speech.files import write_beside
from demos.speech.judgement import totals
from demos.speech.loading import search_of

# What a rule is tried with where the settings of the run do without it.
_TRIED = {"beam_width": 8, "ctc_weight": 0.05, "coverage_penalty": 0.001}
_NAMES = {"beam_width": "beam of {}", "ctc_weight": "+ CTC, weight {}", "coverage_penalty": "+ coverage, penalty {}"}
_COLUMNS = ("wer", "cer", "sentence_error_rate", "looped", "unfinished", "real_time_factor")


def searches(decoding):
    """The searches to compare, names and `DecodingConfig`: greedy, then one rule more at a time.

    Args:
        decoding: the `DecodingConfig` with what each rule is tried with; where it does without, a usual value.

    >>> from demos.speech.decoding import DecodingConfig
    >>> [name for name, _ in searches(DecodingConfig(beam_width=4, ctc_weight=0.3))]
    ['greedy', 'beam of 4', '+ CTC, weight 0.3', '+ coverage, penalty 0.001']
    """
    off = {"beam_width": 1, "n_best": 1, "ctc_weight": 0.0, "coverage_penalty": 0.0}
    config = dataclasses.replace(decoding, **off, ensemble=(), language_models=())
    yield "greedy", config
    for rule, name in _NAMES.items():
        given = getattr(decoding, rule)
        value = _TRIED[rule] if given == off[rule] else given
        config = dataclasses.replace(config, **{rule: value})
        yield name.format(value), config
    if decoding.ensemble:
        config = dataclasses.replace(config, ensemble=decoding.ensemble)
        yield f"+ ensemble of {1 + len(decoding.ensemble)}", config
    if decoding.language_models:
        models = {"language_models": decoding.language_models}
        yield f"+ language model, weight {decoding.language_model_weight}", dataclasses.replace(config, **models)


def ablate(run, split="test", data_dir=None, decoding=None, dataset=None):
    """Recognise a split of the data of a run, or of other data, with one search after the other.

    Writes `ablation.json` into the folder of the model.

    Args:
        run, split, data_dir, decoding, dataset: as for `evaluation.evaluate`.

    Yields:
        For each search of `searches` its name and a dict of results, see `evaluation.evaluate`.

    Raises:
        UserError: as `evaluate`.
    """
    model, config, corpus = open_evaluation(run, split, data_dir, decoding, dataset)
    rows = {}
    for name, search in searches(config.decoding):
        judgements, speed = judgements_of(search_of(model, search), corpus, split)
        rows[name] = {"decoding": search.to_dict(), **totals(judgements), **speed}
        yield name, rows[name]
    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    with write_beside(folder / "ablation.json") as beside:
        beside.write_text(json.dumps({"dataset": corpus.name, "split": split, "searches": rows}, indent=2) + "\n")


def print_table(rows):
    """Print what `ablate` yields, each row as soon as it is known."""
    print(f"{'search':<28}{'words':>9}{'chars':>9}{'sentences':>11}{'loops':>7}{'cut':>5}{'x real time':>13}")
    for name, results in rows:
        words, characters, sentences, loops, cut, factor = (results[column] for column in _COLUMNS)
        print(
            f"{name:<28}{words:>9.2%}{characters:>9.2%}{sentences:>11.2%}{loops:>7}{cut:>5}{factor:>13.3f}", flush=True
        )
