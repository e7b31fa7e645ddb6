"""A maker and a robot that knows their key."""

from pathlib import Path

import pytest

from runtime.contracts.keys import OWNER_PUBLIC
from tests.firmware_bridge.update.stage import Maker, Robot


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "maker")


@pytest.fixture
def robot(maker: Maker, tmp_path: Path) -> Robot:
    keys = tmp_path / "robot-keys"
    keys.mkdir()
    (keys / OWNER_PUBLIC).write_bytes((maker.owner.folder / OWNER_PUBLIC).read_bytes())
    return Robot(tmp_path / "robot", keys)
