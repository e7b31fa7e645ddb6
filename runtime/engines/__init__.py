"""Networks, ready to run on the fastest thing here that gives the right answers."""

from runtime.engines.session import Arrays, Engine, Kept

__all__ = ["Arrays", "Engine", "Kept"]
