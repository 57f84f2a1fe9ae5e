"""A command in a process of its own: what `processes.run_module` asks for is its arguments, a list of strings."""

import sys

from demos.speech.cli import main
from demos.speech.processes import asked_for

if __name__ == "__main__":
    sys.exit(main(asked_for()))
