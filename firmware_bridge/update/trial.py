"""The switch and what follows it: a look at the new release, and the way back.

A look that is cut short, by a hang, a crash or a power cut, may be chance: there are three in all. A clear
finding ends the trial at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.update.health import Examine, Health
from firmware_bridge.update.job import Job
from firmware_bridge.update.rest import Rest
from firmware_bridge.update.slots import MAX_TRIES, Slots, Trial
from runtime.contracts.errors import UpdateError


@dataclass(frozen=True, slots=True)
class Court:
    """All that a trial needs of the world."""

    slots: Slots
    job: Job
    rest: Callable[[], Rest]
    """Asks whether the robot may be disturbed"""
    restart: Callable[[str], str]
    """Makes the services read `current`, whose identity is given; why it failed, empty where it did not"""
    examine: Examine
    trusted: Callable[[Path], object]
    """UpdateError or PackError where a release may not serve"""

    def switch(self, release: str, version: int | None) -> str:
        """Let a whole, verified release serve on trial, if the robot rests."""
        rest = self.rest()
        if rest.reason:
            return self.job.tell("waiting", code="busy", detail=rest.reason)
        self.job.tell("switching", detail=rest.remark)
        self.slots.begin_trial(release, version)
        return self.resume() or "failed"

    def resume(self) -> str | None:
        """Go on with the trial under way, also one that a crash cut short; None where there is none."""
        trial = self.slots.recover()
        if trial is None:
            return None
        self.job.sha256 = trial.release
        if why := self.slots.record().refused.get(trial.release):
            return self._take_back(why)
        health = self._try(trial)
        if health.verdict != "well":
            return self._take_back(health.detail)
        self.slots.keep(health.figures)
        return self.job.tell("done", detail=", ".join(f"{k} {v:.0f}" for k, v in health.figures.items()))

    def _try(self, trial: Trial) -> Health:
        if trial.tries >= MAX_TRIES:
            return Health("ill", f"it was cut short {trial.tries} times")
        tries = self.slots.count_try()
        if failed := self.restart(trial.release):
            return Health("ill", failed)
        while True:
            self.job.tell("trial", detail=f"look {tries} of {MAX_TRIES}")
            health = self.examine(self.slots.folder(trial.release), self.slots.record().figures)
            if health.verdict != "cut_short" or tries >= MAX_TRIES:
                return health
            tries = self.slots.count_try()

    def _take_back(self, why: str) -> str:
        self.slots.take_back(why)
        serving = self.slots.serving
        failed = self.restart(serving) if serving else ""
        detail = f"{why}; {serving[:12] if serving else 'nothing'} serves again"
        return self.job.tell(
            "rolled_back", code="unhealthy", detail=f"{detail}; {failed}" if failed else detail
        )

    def rollback(self) -> str:
        """Back to the release before, by hand; what served is not taken again by itself."""
        previous, serving = self.slots.record().previous, self.slots.serving
        if serving is None or previous is None or previous == serving or not self.slots.holds(previous):
            raise UpdateError("no_previous", "there is no release before this one; install one")
        self.trusted(self.slots.folder(previous))
        self.job.sha256 = previous
        if reason := self.rest().reason:
            return self.job.tell("waiting", code="busy", detail=reason)
        self.slots.go_back()
        failed = self.restart(previous)
        return self.job.tell("rolled_back", detail=f"{serving[:12]} by hand{'; ' + failed if failed else ''}")
