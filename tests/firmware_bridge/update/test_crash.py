"""The short form of the crash campaign; `make torture ARGS=updates` is the whole of it."""

from pathlib import Path

import pytest

from firmware_bridge.update.disk import Disk
from runtime.contracts.errors import PackError, UpdateError
from tests.torture import updates
from tests.torture.crashing_disk import RecordingDisk


def test_a_power_cut_after_any_step_leaves_the_old_release_or_the_new() -> None:
    seen = updates.power_cuts(every=9)
    assert seen["steps"] > 30
    assert min(seen["old"], seen["new"]) > 20


def test_a_disk_that_is_full_at_any_step() -> None:
    assert updates.full_disks()["full"] > 15


def test_killed_at_any_moment() -> None:
    seen = updates.kills(6)
    assert seen["old"] + seen["new"] == 6


def point_in_place(disk: Disk, link: Path, target: str) -> None:
    disk.remove(link)
    disk.symlink(target, link)
    disk.sync(link.parent)


def test_the_campaign_notices_that_current_is_not_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "point", point_in_place)
    with pytest.raises(AssertionError, match=r"^$"):  # nothing serves
        updates.power_cuts(every=1_000)


def test_the_campaign_notices_that_nothing_is_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecordingDisk, "sync", lambda *_: None)
    with pytest.raises((PackError, UpdateError)):
        updates.power_cuts(every=1_000)
