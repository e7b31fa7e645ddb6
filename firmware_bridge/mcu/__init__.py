"""The files that run on the board, and unchanged in the simulator. No typing, no dataclasses, no pip."""
