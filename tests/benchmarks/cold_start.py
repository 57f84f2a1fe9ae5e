"""How long it takes from nothing to the first transcript, each time in a new process."""

import json
import os
import subprocess
import sys

from tests.benchmarks.race import FOLDER, ROOT, Failed

PROCESSES = 5


def measure(_, progress=lambda: None):
    """Seconds of every phase, by name, of some processes, whatever the number of rounds."""
    seconds = {}
    for _ in range(PROCESSES):
        for phase, taken in _once().items():
            seconds.setdefault(phase, []).append(taken)
        progress()
    return {"seconds": seconds}


def _once():
    command = [sys.executable, str(FOLDER / "contestants" / "cold_start.py"), str(ROOT / "saved_models" / "digits")]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode:
        raise Failed((result.stderr.strip().splitlines() or ["it wrote nothing"])[-1])
    return json.loads(result.stdout.splitlines()[-1])
