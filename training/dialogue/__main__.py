"""`python -m training.dialogue`: `everpaw train dialogue`, its errors a line each."""

import sys

from runtime.cli import main

sys.exit(main(["train", "dialogue", *sys.argv[1:]]))
