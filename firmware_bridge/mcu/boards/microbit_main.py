"""Flashed as main.py on an emulated micro:bit, whose 16 KiB hold the compiler of one module at a time."""

import gc
import os

MARK = "maintenance"
if MARK in os.listdir():
    os.remove(MARK)
else:
    gc.collect()
    import frames  # noqa: F401

    gc.collect()
    import link  # noqa: F401
