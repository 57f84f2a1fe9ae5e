"""Long work in a process of its own: it gives back its memory, and ends when whoever started it does."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def run_module(module, asked, log):
    """Run a module of this project, which begins with `asked_for`, in another process.

    Args:
        module: its name.
        asked: what `asked_for` returns there, as JSON.
        log: `pathlib.Path` of the file for all its output.

    Returns:
        None, or what went wrong: the last line of the log that begins with `error: `, without that.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, [os.getenv("PYTHONPATH")])])}
    with open(log, "wb") as output:
        streams = {"stdin": subprocess.PIPE, "stdout": output, "stderr": subprocess.STDOUT}
        # Leaving the block, be it by Ctrl-C, closes its standard input, at which it ends.
        with subprocess.Popen([sys.executable, "-m", module], bufsize=0, env=environment, **streams) as process:
            with contextlib.suppress(BrokenPipeError):  # It has ended before it could read; its code says so.
                process.stdin.write(json.dumps(asked).encode() + b"\n")
            code = process.wait()
    return None if code == 0 else _reason(code, log)


def asked_for():
    """What `run_module` asks of this process, which ends as soon as whoever asked does."""
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    return asked


def _end_with_standard_input():
    sys.stdin.read()
    os._exit(1)


def _reason(code, log):
    if code < 0:
        return f"ended by the system: {signal.Signals(-code).name}"
    lines = log.read_text(errors="replace").splitlines()
    said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return said[-1] if said else f"ended with code {code}, see {log}"
