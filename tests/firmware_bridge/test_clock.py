"""The host's clock jumps while the body walks: nothing holds it armed without a lease."""

import pytest

from firmware_bridge.mcu.guard import HOLD_TICKS
from tests.torture import clock


@pytest.mark.parametrize("hours", [1.0, -1.0])
def test_a_clock_that_jumps_ends_the_walk_within_the_boards_deadline(hours: float) -> None:
    seen = clock.jump(hours, seed=7)
    assert seen["ok"], seen
    assert 0 <= seen["ticks"] <= HOLD_TICKS + 1
    assert seen["rearmed"] == 0
