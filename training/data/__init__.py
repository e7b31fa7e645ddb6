"""Synthetic speech and the rough treatment that makes it resemble rooms and people."""
