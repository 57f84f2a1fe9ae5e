"""How many weights the presets have."""

import dataclasses

import keras

from demos.speech.config import Config
from demos.speech.model import ListenAttendSpell
from demos.speech.presets import PRESETS
from demos.speech.text import Vocabulary

# Millions of weights that are published: of the LSTM of Gulati et al., "Conformer", 2020, arXiv:2005.08100, table 2.
_PUBLISHED = {"las-6-1280": 360}


def sizes(vocabulary):
    """Weights of every preset with a vocabulary of so many tokens: a list of dicts, of names and numbers.

    Nothing is allocated for them.
    """
    symbols = Vocabulary("".join(map(chr, range(0x4E00, 0x4E00 + vocabulary - len(Vocabulary.specials)))))
    with keras.StatelessScope(initialize_variables=False):
        return [{"preset": name, **_sizes(Config().replace(**preset), symbols)} for name, preset in PRESETS.items()]


def table(rows):
    """The text that is printed of `sizes`: millions of weights.

    >>> print(table([{"preset": "las-6-1280", "listener": 2_000_000, "speller": 1_500_000, "ctc": 40_000}]))
    preset         listener    speller        ctc  published (listener and speller)
    las-6-1280          2.0        1.5        0.0        360
    """
    lines = [f"{'preset':<12} {'listener':>10} {'speller':>10} {'ctc':>10}  published (listener and speller)"]
    for row in rows:
        parts = " ".join(f"{row[name] / 1e6:>10.1f}" for name in ("listener", "speller", "ctc"))
        lines.append(f"{row['preset']:<12} {parts} {_PUBLISHED.get(row['preset'], 'nothing'):>10}")
    return "\n".join(lines)


def _sizes(config, vocabulary):
    features = dataclasses.replace(config.features, sample_rate=16000)
    model = ListenAttendSpell(vocabulary, features, config.listener, config.speller)
    return {part.name: part.count_params() for part in (model.listener, model.speller, model.ctc)}
