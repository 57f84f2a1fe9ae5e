"""`python -m demos.speech`."""

import sys

from demos.speech.cli import main

if __name__ == "__main__":
    sys.exit(main())
