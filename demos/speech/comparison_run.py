"""One run of a comparison, in a process of its own: `python -m demos.speech.comparison_run`.

It is asked for `config`, `run` and `data_dir`, see `processes.run_module`. Its last line is `error: ...` when it fails.
"""

import json
import sys
import traceback
from pathlib import Path

from demos.speech.processes import asked_for
from demos.speech.quiet import load_tensorflow

RESULT = "result.json"


def run_one(config, run, data_dir=None):
    """Train a recogniser, or go on with it, and write `result.json` into its run folder when all is done.

    Args:
        config: a `Config`.
        run: `pathlib.Path` of the run folder.
        data_dir: folder of TFDS; its own default when None.
    """
    from demos.speech.evaluation import judgements_of, open_evaluation
    from demos.speech.judgement import totals
    from demos.speech.loading import search_of
    from demos.speech.training import train
    from demos.speech.training_cost import FILE, TrainingCost

    train(config, run, data_dir, (run / "config.json").exists(), verbose=2, callbacks=[TrainingCost(run)])
    model, config, corpus = open_evaluation(run, "test", data_dir)
    pairs = []
    judgements, _ = judgements_of(
        search_of(model, config.decoding), corpus, "test", lambda _, *pair: pairs.append(pair)
    )
    cost = json.loads((run / FILE).read_text())
    history = json.loads((run / "state" / "history.json").read_text())
    result = {
        **totals(judgements),
        **cost,
        "parameters": model.count_params(),
        "epochs": len(history),
        "steps_until_aligned": steps_until_aligned(history, cost["steps_per_epoch"], config.listener.bidirectional),
        "shown": _shown(*pairs[len(pairs) // 2]),
    }
    # A training that went astray has figures that are no numbers.
    _write(run / RESULT, {name: None if value != value else value for name, value in result.items()})


def steps_until_aligned(history, steps_per_epoch, bidirectional):
    """The steps of training up to the first epoch after which the attention is found formed; None if it never is.

    Args:
        history: list of the logs of each epoch.
        steps_per_epoch: steps of each.
        bidirectional: as for `alignment_advice.formed`.
    """
    from demos.speech.alignment_advice import formed

    epochs = (epoch for epoch, logs in enumerate(history, start=1) if formed(logs, bidirectional))
    return next((steps_per_epoch * epoch for epoch in epochs), None)


def _shown(utterance, transcript):
    """What the picture shows of an utterance."""
    from demos.speech.word_times import frame_grid, true_words

    return {
        "id": utterance["id"].decode(),
        "said": utterance["text"].decode(),
        "recognised": transcript.text,
        "alignment": transcript.alignment.astype("float64").round(4).tolist(),
        "frames": len(transcript.frame_times),
        "word_ids": transcript.word_ids.tolist(),
        **frame_grid(transcript),
        "words": [(word.text, word.start, word.end) for word in true_words(utterance)],
    }


def _write(path, result):
    from demos.speech.files import write_beside

    with write_beside(path) as beside:
        beside.write_text(json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def main():
    """Do what standard input says."""
    asked = asked_for()
    load_tensorflow()
    from demos.speech.config import Config

    try:
        run_one(Config.from_dict(asked["config"]), Path(asked["run"]), asked["data_dir"] and Path(asked["data_dir"]))
    except Exception as error:
        traceback.print_exc()
        print(f"error: {(str(error) or type(error).__name__).splitlines()[0]}", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
