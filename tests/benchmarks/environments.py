"""The virtual environments of the peers, made when they are needed first and then kept."""

import importlib.metadata
import shutil
import subprocess
import sys

from tests.benchmarks.race import ROOT

_CACHE = ROOT / ".venv-benchmarks"
_TORCH = ["torch==2.13.0", "--extra-index-url", "https://download.pytorch.org/whl/cpu"]  # a CPU is enough

# By name, what pip installs, one command after the other. Without dependencies where those that a library names are
# not needed by the parts that run here.
RECIPES = {
    "tfa": [
        ["tensorflow-cpu==2.15.1", "numpy<2", "typeguard<3"],
        ["--no-deps", "tensorflow-addons==0.23.0"],
    ],
    "torch": [
        [*_TORCH, "numpy", "hyperpyyaml", "packaging", "pyyaml", "scipy", "tqdm"],
        ["--no-deps", "espnet==202511", "speechbrain==1.1.2"],
    ],
    "backends": [[f"keras=={importlib.metadata.version('keras')}", "jax", *_TORCH]],
}


class Unavailable(Exception):
    """An environment cannot be made; the text says why."""


def interpreter(name):
    """The Python of an environment; `None` is the one that runs this.

    Raises:
        Unavailable: it is not there and cannot be made.
    """
    if name is None:
        return sys.executable
    folder, recipe = _CACHE / name, repr(RECIPES[name])
    python, done = folder / "bin" / "python", _CACHE / f"{name}.installed"
    if not (python.exists() and done.exists() and done.read_text() == recipe):
        done.unlink(missing_ok=True)
        _run([_python_3_11(), "-m", "venv", "--clear", folder])
        for arguments in RECIPES[name]:
            _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])
        done.write_text(recipe)
    return python


def _python_3_11():
    """TensorFlow 2.15 and what is built on it need this version."""
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if python is None:
        raise Unavailable("Python 3.11 is not installed")
    return python


def _run(command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()] or ["no message"]
        raise Unavailable(lines[-1])
