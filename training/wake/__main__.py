"""`python -m training.wake`."""

import sys

from training.wake.recipe import main

sys.exit(main(sys.argv[1:]))
