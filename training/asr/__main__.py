"""`python -m training.asr`: `everpaw train asr`, its errors a line each."""

import sys

from runtime.cli import main

sys.exit(main(["train", "asr", *sys.argv[1:]]))
