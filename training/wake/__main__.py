"""`python -m training.wake`: `everpaw train wake`, its errors a line each."""

import sys

from runtime.cli import main

sys.exit(main(["train", "wake", *sys.argv[1:]]))
