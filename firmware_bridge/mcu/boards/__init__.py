"""Thin board files: `rp2.py` and `esp32s3.py` are flashed as `board.py`, their drivers beside them."""
