"""Bytes that nobody meant: everything that reads what comes from outside, fed with garbage."""
