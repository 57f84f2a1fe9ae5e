"""The virtual environments of the peers, made when they are first needed, and kept."""

import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.contest import ROOT

FOLDER = ROOT / ".venv-benchmarks"
# Lists of what one pip command installs; none of the peers can say by itself what it still works with.
_PIP = {
    "tfa": [
        ["tensorflow-cpu==2.15.1", "numpy<2", "typeguard<3"],
        ["--no-deps", "tensorflow-addons==0.23.0"],
    ],
    "torch": [
        ["--retries", "0", "--extra-index-url", "https://download.pytorch.org/whl/cpu", "torch==2.13.0"],
        ["numpy", "hyperpyyaml", "packaging", "pyyaml", "scipy", "tqdm"],
        ["--no-deps", "espnet==202511", "speechbrain==1.1.2"],
    ],
}


def python_of(name):
    """The interpreter of an environment: ``"ours"`` is this one. Made anew where it is missing or not complete.

    Raises:
        RuntimeError: If it cannot be made, with what pip says.
    """
    if name == "ours":
        return sys.executable
    own = os.environ.get(f"BENCHMARK_PYTHON_{name.upper()}")
    if own:
        return own
    folder, python = FOLDER / name, FOLDER / name / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        print(f"Making the virtual environment {folder.relative_to(ROOT)} (once)", file=sys.stderr)
        _run([sys.executable, "-m", "venv", "--clear", folder])
        for arguments in _PIP[name]:
            _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])
        complete.touch()
    return str(python)


def _run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise RuntimeError(f"{' '.join(str(part) for part in command[-3:])}: {lines[-1]}")


def folder_of(name):
    """Where the environment is, for messages."""
    return Path(".venv-benchmarks", name)
