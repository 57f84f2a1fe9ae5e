"""The command line: runs a command, and says in one line what went wrong."""

import os
import re
import sys

from demos.speech import commands
from demos.speech.errors import UserError
from demos.speech.parser import make_parser


def main(argv=None):
    """Run a command.

    Args:
        argv: the arguments, those of the process when None.

    Returns:
        The exit code: 0; 2 after a mistake of the user or a refusal of the system, with one line for each on standard
        error; 130 after Ctrl-C.
    """
    arguments = _parse(argv)
    try:
        arguments.command(arguments)
        sys.stdout.flush()
        return 0
    except KeyboardInterrupt:
        print(f"interrupted{arguments.hint}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Who read the output wants no more of it. Python would complain about that once again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (UserError, OSError, ModuleNotFoundError) as error:
        lines = _lines(error)
    except Exception as error:
        lines = _lines_of_cause(error)
        if not lines:
            raise
    for line in lines:
        print(f"error: {line}", file=sys.stderr)
    return 2


def _parse(argv):
    parser = make_parser()
    arguments = parser.parse_args(argv)
    if arguments.command is not commands.road and (arguments.road_run or arguments.road_data_dir):
        parser.error("--run and --data-dir come after the command")
    return arguments


def _lines(error):
    if isinstance(error, ModuleNotFoundError):
        if (error.name or "").split(".")[0] in ("demos", "keras_attn"):
            raise error
        return [f"the package {error.name} is not installed; all that is needed: pip install -e '.[demo]'"]
    if isinstance(error, OSError) and error.strerror:
        return [f"{error.filename}: {error.strerror}" if error.filename else error.strerror]
    return str(error).splitlines()


def _lines_of_cause(error):
    """The line that matters of a refusal of the system that a library reports as something else; none for a bug."""
    tensorflow = sys.modules.get("tensorflow")
    while error is not None:
        if isinstance(error, OSError):
            return _lines(error)
        if tensorflow is not None and isinstance(error, tensorflow.errors.OpError):
            # Of the many lines of an error in a graph, the last before the names of its nodes.
            message = re.sub(r"^{{function_node .*?}} | \[Op:\w+\].*$", "", error.message.split("\n\t [[{{")[0])
            return [line.strip() for line in message.splitlines() if line.strip()][-1:] or [type(error).__name__]
        error = error.__cause__
    return []
