"""Joints keep a beat of 30 a second while somebody looks; then the loop sleeps again."""

from firmware_bridge.telemetry import JOINTS_MS
from runtime.contracts import messages as m
from tests.firmware_bridge.conducted import conducted


def test_joints_come_30_times_a_second_while_somebody_looks() -> None:
    with conducted() as robot:
        telemetry = robot.conductor._telemetry
        assert telemetry.joints_due_s == float("inf")
        telemetry.view(3_000, robot.now_ms)
        assert robot.conductor.next_stream_s <= robot.now_ms / 1000, "the loop is waked at once"
        for _ in range(30):
            robot.run(100)
            if telemetry.joints_due_s < float("inf"):
                assert 0 < telemetry.joints_due_s * 1000 - robot.now_ms <= JOINTS_MS
        told = [message for _, message in robot.said if isinstance(message, m.JointsTelemetry)]
        assert 88 <= len(told) <= 92
        robot.run(1_000)
        assert telemetry.joints_due_s == float("inf"), "nothing is due in the past"
        assert (
            len([1 for _, message in robot.said if isinstance(message, m.JointsTelemetry)]) <= len(told) + 1
        )
