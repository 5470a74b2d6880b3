"""Runs the command line: ``python -m edgenode``."""

import sys

from edgenode.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
