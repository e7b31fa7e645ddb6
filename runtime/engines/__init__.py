"""Networks, ready to run on the fastest thing here that gives the right answers."""

from runtime.engines.session import Arrays, Engine

__all__ = ["Arrays", "Engine"]
