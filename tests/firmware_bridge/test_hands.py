"""The body by hand: it moves, shows itself, is calibrated, and ends disarmed on every way out."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_bridge import screen
from firmware_bridge.body import calibrate, main, move
from firmware_bridge.hands import Hands
from firmware_bridge.mcu import protocol as p
from firmware_bridge.trims import load_trims
from runtime.contracts.body import load_body
from runtime.contracts.errors import LinkError, PackError
from tests.firmware_bridge.board import bench
from tests.firmware_bridge.owner import PACK


@contextmanager
def rig() -> Iterator[tuple[Hands, object]]:
    """Hands whose sleep advances board and clock: no time passes outside."""
    with bench() as board:

        def sleep(seconds: float) -> None:
            board.now_s += 0.01
            try:
                for byte in os.read(board.master, 4096):
                    board.device.receive(byte)
            except BlockingIOError:
                pass
            board.device.tick()

        hands = Hands(board.link, load_body(), lambda: board.now_s, sleep)
        hands.greet()
        yield hands, board


def test_a_joint_is_moved_and_the_body_disarmed() -> None:
    with rig() as (hands, board):
        hands.arm()
        move(hands, {"tail": 40.0})
        assert hands.pose is not None
        assert hands.pose["tail"] == pytest.approx(40, abs=3)
        assert hands.disarm()
        assert board.guard.state == p.DISARMED  # type: ignore[attr-defined]
        assert not board.guard.torque  # type: ignore[attr-defined]


def test_a_disarm_reaches_a_board_whose_arming_was_not_heard_yet() -> None:
    with rig() as (hands, board):
        hands.link.order(p.ARM)
        board.guard.arm()  # type: ignore[attr-defined]
        assert hands.link.mcu_state == p.DISARMED
        assert hands.disarm()
        assert (board.guard.state, board.guard.torque) == (p.DISARMED, False)  # type: ignore[attr-defined]
        assert board.guard.reason == p.DISARM_ORDER  # type: ignore[attr-defined]


def test_a_stop_meanwhile_is_said_and_not_overridden() -> None:
    with rig() as (hands, board):
        hands.arm()
        board.guard.stop(p.ESTOP)  # type: ignore[attr-defined]
        with pytest.raises(LinkError, match="the board stopped: estop"):
            move(hands, {"tail": 40.0}, 2.0)
        with pytest.raises(LinkError, match="does not arm: it is FAULT"):
            hands.arm()


def test_calibration_gives_the_trims_that_were_typed() -> None:
    with rig() as (hands, _):
        asked: list[str] = []

        def ask(question: str) -> str:
            asked.append(question)
            typed = {0: "++", 1: "+", 2: "", 3: "--", 4: "fly", 5: "--"}
            return typed.get(len(asked) - 1, "")

        had = dict.fromkeys(hands.body.names, 0.0) | {"front_left_knee": -12.0, "tail": 3.0}
        trims = calibrate(hands, ask, had)
        assert trims["front_left_hip"] == 6
        assert "'fly' is none of these" in asked[5]
        assert trims["front_left_knee"] == -17, "on top of what the board adds already, to 20 at most"
        assert "move the horn" in asked[6]
        assert trims["tail"] == 3


def test_the_picture_shows_state_senses_and_every_joint() -> None:
    with rig() as (hands, board):
        hands.wait(lambda: hands.link.senses is not None, 2)
        lines = screen.render(hands.link, hands.body)
        assert lines[1].startswith("state     DISARMED")
        assert sum("deg" in line and "[" in line for line in lines) == len(hands.body.joints)
        board.guard.stop()  # type: ignore[attr-defined]
        hands.wait(lambda: hands.link.mcu_state == p.FAULT, 2)
        assert "FAULT (stop order)" in screen.render(hands.link, hands.body)[1]
        board.vitals.have = p.TILT | p.LIFT  # type: ignore[attr-defined]
        hands.wait(lambda: bool(hands.link.senses and hands.link.senses.silent), 3)
        line = screen.render(hands.link, hands.body)[1]
        assert "not fit to arm: sense lost (nothing from: tilt, foot switches)" in line
    joint = hands.body.by_name["tail"]
    assert screen.bar(joint, joint.min_deg)[1] == "|"
    assert screen.bar(joint, joint.max_deg)[-2] == "|"
    assert len(screen.bar(joint, 1e9)) == screen.BAR + 2


def test_a_shorter_line_leaves_nothing_of_the_longer_one_before_it() -> None:
    assert screen.drawn(["state", "x" * 90, "out of sight"], columns=20, rows=2) == (
        "\x1b[Hstate\x1b[K\n" + "x" * 20 + "\x1b[K\x1b[J"
    )


def test_the_command_plays_jogs_and_shows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["jog", "tail", "20", "--port", "sim", "--hold-s", "0.1"]) == 0
    assert "tail" in capsys.readouterr().out
    for words in (["live", "--once"], ["live"]):  # no terminal: one picture
        assert main([*words, "--port", "sim"]) == 0
        shown = capsys.readouterr().out
        assert "DISARMED" in shown
        assert "\x1b" not in shown
    for words, reason in ((["jog", "wing", "1"], "unknown joint"), (["jog", "tail", "99"], "outside")):
        with pytest.raises(PackError, match=reason):
            main([*words, "--port", "sim"])
    for words, reason in (
        (["play", "sit", "--speed", "0"], "'0' is no number from 0.25 to 2"),
        (["play", "sit", "--speed", "nan"], "'nan' is no number"),
        (["jog", "tail", "1", "--hold-s", "long"], "'long' is no number from 0 to 600"),
        (["calibrate", "--out", "/nowhere/t.toml"], "'/nowhere/t.toml' cannot be written"),
    ):
        with pytest.raises(SystemExit):
            main([*words, "--port", "sim"])
        assert reason in capsys.readouterr().err
    with pytest.raises(PackError, match="no skill 'fly'"):
        main(["play", "fly", "--port", "sim", "--pack", str(PACK)])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_from_outside_it_disarms(number: signal.Signals, tmp_path: Path) -> None:
    port, log = tmp_path / "mcu", tmp_path / "log"
    sim = subprocess.Popen(
        [sys.executable, "-m", "firmware_bridge.sim", "--link", str(port), "--log", str(log)]
    )
    try:
        give_up_s = time.monotonic() + 20
        while not port.exists():
            assert time.monotonic() < give_up_s
            time.sleep(0.02)
        code = "import sys; from firmware_bridge.body import main; main(sys.argv[1:])"
        words = ["jog", "tail", "30", "--port", str(port), "--hold-s", "60"]
        hands = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
        )
        while '"ARMED"' not in log.read_text():
            assert time.monotonic() < give_up_s
            time.sleep(0.02)
        hands.send_signal(number)
        hands.wait(20)
        while '"DISARMED"' not in log.read_text().splitlines()[-1]:
            assert time.monotonic() < give_up_s + 20
            time.sleep(0.02)
        assert "DISARM_ORDER" in log.read_text()
    finally:
        sim.terminate()
        sim.wait()


def test_trims_go_from_calibration_to_flashing(tmp_path: Path) -> None:
    from firmware_bridge.trims import save_trims

    save_trims(tmp_path / "t.toml", {"tail": 2.0})
    assert load_trims(tmp_path / "t.toml")[-1] == 200
