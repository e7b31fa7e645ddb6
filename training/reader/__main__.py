"""`python -m training.reader`."""

import sys

from training.reader.recipe import main

sys.exit(main())
