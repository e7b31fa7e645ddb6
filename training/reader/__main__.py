"""`python -m training.reader`: `everpaw train reader`, its errors a line each."""

import sys

from runtime.cli import main

sys.exit(main(["train", "reader", *sys.argv[1:]]))
