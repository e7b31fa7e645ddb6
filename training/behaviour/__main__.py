"""`python -m training.behaviour`: `everpaw train behaviour`, its errors a line each."""

import sys

from runtime.cli import main

sys.exit(main(["train", "behaviour", *sys.argv[1:]]))
