"""First to run on the board: servos off before anything else is up. It must never fail.

A file `maintenance` keeps main.py from starting its loop and its watchdog once, for flashing.
"""

MAINTENANCE = False
try:
    import os

    import board

    board.quiet()
    if "maintenance" in os.listdir():
        os.remove("maintenance")
        MAINTENANCE = True
except Exception as error:  # the prompt must stay reachable, whatever a board file does
    print("boot:", error)
    MAINTENANCE = True
