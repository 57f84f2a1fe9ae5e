"""Weights of the presets."""

import subprocess
import sys

from demos.speech.config import Config
from demos.speech.presets import PRESETS


def test_weights_of_the_presets():
    # In a process of its own, as Keras would make the weights some time.
    script = "from demos.speech.cli import main; main(['presets', '--vocabulary', '16000'])"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[1:]}
    assert list(rows) == list(PRESETS)
    for depth, width in ((4, 1024), (6, 1024), (6, 1280)):
        # Weights of a recurrent layer of both directions, and those of the convolutions.
        layers = [2 * 4 * width * (inputs + width + 1) for inputs in [20 * 32] + [2 * width] * (depth - 1)]
        listener = sum(layers) + (9 + 1) * 32 + (9 * 32 + 1) * 32
        assert float(rows[f"las-{depth}-{width}"][0]) == round(listener / 1e6, 1)
    listener, speller, _, published = map(float, rows["las-6-1280"])
    # Of what is published only the sum is known, and not the vectors of the tokens, nor what all layers are given.
    assert published == 360 and 0.85 < (listener + speller) / published < 1


def test_presets_are_settings():
    for preset in PRESETS.values():
        Config().replace(**preset)
    assert Config().replace(**PRESETS["las-6-1280"]).listener.reduction == 4
