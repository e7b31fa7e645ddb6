"""`python -m training.dialogue`."""

import sys

from training.dialogue.recipe import main

sys.exit(main(sys.argv[1:]))
