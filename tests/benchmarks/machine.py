"""The machine and the commit that figures are of."""

import os
import platform
import subprocess
from pathlib import Path

from tests.benchmarks.race import ROOT

_MEASURED = ("keras_attn/*.py", "demos/*.py")


def machine():
    """CPU, cores, memory and system."""
    cpu = _after("/proc/cpuinfo", "model name") or platform.processor() or "unknown"
    memory = int((_after("/proc/meminfo", "MemTotal") or "0 kB").split()[0])
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 2**20, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def commit():
    """The last commit of what is measured, with a plus where the files differ from it."""
    head = _git("log", "-1", "--format=%h", "--", *_MEASURED)
    return head + ("+" if _git("status", "--porcelain", "--untracked-files=no", "--", *_MEASURED) else "")


def _git(*arguments):
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return result.stdout.strip() or ("unknown" if result.returncode else "")


def _after(path, name):
    """What stands after the name and a colon in a file of the system, None if nothing does."""
    path = Path(path)
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)
