"""`python -m training.behaviour`."""

import sys

from training.behaviour.recipe import main

sys.exit(main(sys.argv[1:]))
