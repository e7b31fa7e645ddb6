"""`python -m training.asr`."""

import sys

from training.asr.recipe import main

sys.exit(main(sys.argv[1:]))
