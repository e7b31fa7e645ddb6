"""Interactions that teach: turns, and what people thought of them, kept with consent."""
