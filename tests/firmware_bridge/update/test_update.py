"""An update from beginning to end: what moves, what serves, and what is taken back."""

import json
import random
import sys
from pathlib import Path

import pytest

from firmware_bridge.mcu import protocol
from firmware_bridge.update import health
from firmware_bridge.update.command import main
from firmware_bridge.update.health import Health, judge
from firmware_bridge.update.rest import Rest
from firmware_bridge.update.source import Folder, Web, open_source
from runtime.contracts.archive import write_archive
from runtime.contracts.errors import UpdateError
from runtime.contracts.keys import OWNER_PUBLIC
from tests.firmware_bridge.update.stage import WELL, Maker, Remote, Robot, forge, web_server

BIG = random.Random(7).randbytes(900_000)


def statuses(robot: Robot) -> list[str]:
    """What the job topic said, each once."""
    seen = [state.status for state in robot.told]
    return [status for i, status in enumerate(seen) if i == 0 or seen[i - 1] != status]


def test_a_first_release_then_a_small_change(maker: Maker, robot: Robot) -> None:
    maker.publish("one", big_data_bin=BIG)
    remote = Remote(maker.repo)
    assert robot.look(remote) == "done"
    assert robot.serving == "one"
    assert statuses(robot) == ["checking", "downloading", "verifying", "switching", "trial", "done"]
    assert robot.told[-1].bytes_done == robot.told[-1].bytes_total > len(BIG)
    assert remote.moved > len(BIG)

    maker.publish("two", big_data_bin=BIG, wake_rex_onnx=b"new head" * 900)
    remote = Remote(maker.repo)
    assert robot.look(remote) == "done"
    assert robot.serving == "two"
    assert remote.moved < 20_000, "only the new head and the metadata"
    one, two = (
        robot.slots.folder(str(r)) / "big/data.bin"
        for r in (robot.slots.record().previous, robot.slots.serving)
    )
    assert one.samefile(two), "a file that two releases share lies on the disk once"
    assert robot.look(Remote(maker.repo)) == "up_to_date"

    maker.publish("three")
    assert robot.look(Remote(maker.repo)) == "done"
    assert len(list(robot.slots.releases.iterdir())) == 2, "two releases are kept"
    assert not list(robot.slots.incoming.iterdir())


def test_over_http_with_every_connection_cut(maker: Maker, robot: Robot) -> None:
    maker.publish("one", big_data_bin=BIG)
    with web_server(maker.repo, cut_after=100_000) as url:
        assert robot.look(open_source(url)) == "done"
    assert robot.serving == "one"


def test_a_server_that_cannot_resume_still_serves(maker: Maker, robot: Robot) -> None:
    release = maker.publish("one", big_data_bin=BIG)
    blob = next((maker.repo / "blobs").rglob(release.manifest.sha256))
    (robot.slots.incoming / f"{blob.name}.part").write_bytes(blob.read_bytes()[:100])
    with web_server(maker.repo, ranges=False) as url:
        assert robot.look(Web(url)) == "done"


def test_a_server_that_never_gets_further_is_given_up(maker: Maker, robot: Robot) -> None:
    maker.publish("one", big_data_bin=BIG)
    with web_server(maker.repo, ranges=False, cut_after=100_000) as url, pytest.raises(UpdateError) as told:
        robot.look(Web(url))
    assert told.value.code == "unreachable"
    with pytest.raises(UpdateError, match="does not answer"):
        robot.look(Web(url))


def test_what_was_fetched_is_not_fetched_again(maker: Maker, robot: Robot) -> None:
    maker.publish("one", big_data_bin=BIG)
    remote = Remote(maker.repo)

    def cut(pieces):  # type: ignore[no-untyped-def]
        yield next(pieces)
        raise KeyboardInterrupt

    big = next(
        path.name
        for path in (maker.repo / "blobs").rglob("*")
        if path.is_file() and path.stat().st_size == len(BIG)
    )
    remote.spoil[big] = cut
    with pytest.raises(KeyboardInterrupt):
        robot.look(remote)
    held = (robot.slots.incoming / f"{big}.part").stat().st_size
    assert 0 < held < len(BIG)
    again = Remote(maker.repo)
    assert robot.look(again) == "done"
    assert again.moved < len(BIG) - held + 20_000


def test_it_waits_until_the_robot_rests(maker: Maker, robot: Robot) -> None:
    maker.publish("one")
    robot.rest = Rest("the board is ARMED; disarm it and let it rest")
    assert robot.look(Remote(maker.repo)) == "waiting"
    assert robot.serving == ""
    assert robot.told[-1].detail == robot.rest.reason
    robot.rest = Rest()
    remote = Remote(maker.repo)
    assert robot.look(remote) == "done"
    assert remote.moved < 20_000, "it had all the bytes already"


def test_a_share_of_the_fleet_first(maker: Maker, robot: Robot) -> None:
    release = maker.publish("one", percent=20)
    keys = [f"robot-{n}" for n in range(500)]
    first = [key for key in keys if release.takes(key)]
    assert 60 < len(first) < 140
    late = next(key for key in keys if not release.takes(key))
    assert robot.look(Remote(maker.repo), key=late) == "not_yet"
    assert "20 % of the fleet" in robot.told[-1].detail
    wide = maker.at().widen("stable", 100, maker.signers)
    assert (wide.version, wide.percent) == (1, 100)
    assert robot.look(Remote(maker.repo), key=late) == "done"
    second = maker.publish("two", percent=20)
    assert {key for key in keys if second.takes(key)} != set(first), "drawn anew"
    assert (
        robot.look(Remote(maker.repo), key=next(k for k in keys if not second.takes(k)), insist=True)
        == "done"
    )


def test_an_ill_release_is_taken_back_and_not_tried_again(maker: Maker, robot: Robot) -> None:
    maker.publish("one")
    robot.look(Remote(maker.repo))
    maker.publish("two", grammar_yaml=b"worse")
    robot.healths = [Health("ill", "golden: heard 'lie', not 'sit'")]
    assert robot.look(Remote(maker.repo)) == "rolled_back"
    assert robot.serving == "one"
    assert robot.restarted[-1] == robot.slots.serving
    assert (robot.told[-1].code, robot.told[-1].status) == ("unhealthy", "rolled_back")
    assert "heard 'lie'" in robot.told[-1].detail
    with pytest.raises(UpdateError, match="failed here before") as told:
        robot.look(Remote(maker.repo))
    assert told.value.code == "refused"
    assert robot.look(Remote(maker.repo), insist=True) == "done"
    assert robot.serving == "two"
    assert robot.slots.record().refused == {}


def test_a_look_that_is_cut_short_three_times_is_enough(maker: Maker, robot: Robot) -> None:
    maker.publish("one")
    robot.look(Remote(maker.repo))
    maker.publish("two", grammar_yaml=b"2")
    crash = Health("cut_short", "the health check crashed: SIGSEGV")
    robot.healths, robot.examined = [crash, WELL], []
    assert robot.look(Remote(maker.repo)) == "done", "once may be chance"
    assert len(robot.examined) == 2
    maker.publish("three", grammar_yaml=b"3")
    robot.healths, robot.examined = [crash] * 3, []
    assert robot.look(Remote(maker.repo)) == "rolled_back"
    assert len(robot.examined) == 3
    assert robot.serving == "two"


def test_power_cuts_during_the_trial_count(maker: Maker, robot: Robot) -> None:
    maker.publish("one")
    robot.look(Remote(maker.repo))
    maker.publish("two", grammar_yaml=b"2")

    class PowerCutError(Exception):
        pass

    def cut(*_: object) -> Health:
        raise PowerCutError

    robot._examine = cut  # type: ignore[method-assign]
    with pytest.raises(PowerCutError):
        robot.look(Remote(maker.repo))
    for _ in range(2):
        assert robot.serving == "two"
        with pytest.raises(PowerCutError):
            robot.update().resume()
    assert robot.update().resume() == "rolled_back"
    assert robot.serving == "one"
    assert robot.update().resume() is None


def test_back_by_hand(maker: Maker, robot: Robot) -> None:
    with pytest.raises(UpdateError, match="no release before"):
        robot.update().rollback()
    for name in ("one", "two"):
        maker.publish(name, grammar_yaml=name.encode())
        robot.look(Remote(maker.repo))
    robot.rest = Rest("it is busy with 'walk'")
    assert robot.update().rollback() == "waiting"
    robot.rest = Rest()
    assert robot.update().rollback() == "rolled_back"
    assert robot.serving == "one"
    with pytest.raises(UpdateError, match="taken back by hand"):
        robot.look(Remote(maker.repo))
    assert robot.update().rollback() == "rolled_back"
    assert robot.serving == "two"


def test_what_may_not_run_here_is_not_even_fetched(maker: Maker, robot: Robot, tmp_path: Path) -> None:
    maker.publish("one", big_data_bin=BIG)
    (robot.keys / OWNER_PUBLIC).write_bytes(
        (Maker(tmp_path / "other").owner.folder / OWNER_PUBLIC).read_bytes()
    )
    remote = Remote(maker.repo)
    with pytest.raises(UpdateError, match="whom this robot does not trust") as told:
        robot.look(remote)
    assert told.value.code == "wrong_key"
    assert remote.moved < 20_000
    assert (robot.told[-1].status, robot.told[-1].code) == ("refused", "wrong_key")


def test_a_spoilt_file_on_the_robot_is_fetched_again(maker: Maker, robot: Robot) -> None:
    maker.publish("one")
    robot.look(Remote(maker.repo))
    (robot.slots.current / "sounds/bark.flac").write_bytes(b"rust" * 10)
    maker.publish("two", grammar_yaml=b"2")
    assert robot.look(Remote(maker.repo)) == "done"
    assert robot.serving == "two"


@pytest.mark.parametrize("form", ["folder", "paw"])
def test_a_pack_from_a_stick_installs_for_ever(form: str, maker: Maker, robot: Robot, tmp_path: Path) -> None:
    pack = maker.pack("stick")
    if form == "paw":
        write_archive(pack, tmp_path / "stick.paw")
        pack = tmp_path / "stick.paw"
    assert robot.update().from_pack(pack) == "done"
    assert robot.serving == "stick"
    assert robot.update().from_pack(pack) == "up_to_date"
    assert not list(robot.slots.incoming.iterdir())


def test_a_pack_by_hand_stays_until_the_channel_has_something_new(maker: Maker, robot: Robot) -> None:
    maker.publish("one")
    robot.look(Remote(maker.repo))
    robot.update().from_pack(maker.pack("stick"))
    assert robot.look(Remote(maker.repo)) == "up_to_date"
    assert (robot.serving, robot.told[-1].detail[:11]) == ("stick", "a pack put ")
    maker.publish("two", grammar_yaml=b"2")
    assert robot.look(Remote(maker.repo)) == "done"
    assert robot.serving == "two"


def test_what_was_refused_is_remembered_within_bounds(maker: Maker, robot: Robot) -> None:
    maker.publish("one")
    robot.look(Remote(maker.repo))
    for number in range(20):
        robot.healths = [Health("ill", f"number {number}")]
        assert (
            robot.update().from_pack(maker.pack(f"p{number}", grammar_yaml=bytes([number]))) == "rolled_back"
        )
    assert list(robot.slots.record().refused.values()) == [f"number {n}" for n in range(4, 20)]


def test_a_strangers_pack_from_a_stick(robot: Robot, tmp_path: Path) -> None:
    stranger = Maker(tmp_path / "stranger")
    with pytest.raises(UpdateError, match="this robot runs only what its owner signed") as told:
        robot.update().from_pack(stranger.pack("evil"))
    assert told.value.code == "untrusted"
    assert robot.serving == ""


def row(name: str, well: bool = True, figure: float | None = None, weight: str = "needed") -> str:
    return json.dumps({"name": name, "well": well, "seen": "seen", "weight": weight, "figure": figure})


MEASURED = row("latency", figure=100) + "\n" + row("memory", figure=100)


@pytest.mark.parametrize(
    ("text", "status", "verdict", "words"),
    [
        (MEASURED, 0, "well", ""),
        ("noise\n" + MEASURED + "\n" + row("sound card", False, weight="optional"), 0, "well", ""),
        (MEASURED + "\n" + row("models", False), 1, "ill", "models: seen"),
        (MEASURED, 3, "ill", "ended with 3"),
        (row("latency", figure=100), 0, "ill", "did not measure memory"),
        (MEASURED.replace('"figure": 100', '"figure": 200'), 0, "ill", "more than 1.5 times the 100"),
        (MEASURED.replace('"figure": 100', '"figure": 149'), 0, "well", ""),
        ("", 0, "cut_short", "said nothing"),
        ("Traceback", 1, "cut_short", "said nothing"),
    ],
)
def test_what_the_doctor_says_is_judged(text: str, status: int, verdict: str, words: str) -> None:
    found = judge(text, status, {"latency_ms": 100.0, "memory_mb": 100.0})
    assert found.verdict == verdict
    assert words in found.detail


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import time; time.sleep(60)", "hung"),
        ("import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)", "hung"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed: SIGSEGV"),
    ],
)
def test_a_doctor_that_hangs_or_crashes(program: str, words: str, tmp_path: Path) -> None:
    found = health.examine([sys.executable, "-c", program], 0.5, tmp_path, {})
    assert found.verdict == "cut_short"
    assert words in found.detail


def test_as_typed_with_the_true_doctor(
    maker: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny packs here have no models to load, so the doctor finds them ill."""
    maker.publish("one")
    root, keys = tmp_path / "root", maker.owner.folder
    words = [
        "--root",
        str(root),
        "--keys",
        str(keys),
        "--set",
        "mqtt.port=1",
        "--set",
        "update.health_limit_s=60",
    ]
    assert main(["install", str(maker.repo), *words]) == 1
    err = capsys.readouterr().err
    assert "no broker is there, so nothing can move" in err
    assert "rolled_back one 1: pack: " in err
    assert "has no 'persona.toml'" in err
    assert main(["status", "--json", *words]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["serving"] is None
    assert list(facts["refused"])
    assert main(["status", *words]) == 0
    assert "nothing yet" in capsys.readouterr().out
    pack = str(maker.pack("stick"))
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115
    with pytest.raises(UpdateError, match="--yes confirms it"):
        main(["install", pack, *words])
    assert main(["install", pack, "--yes", *words]) == 1
    with pytest.raises(UpdateError, match="is the stick plugged in"):
        main(["install", str(tmp_path / "none"), *words])


@pytest.mark.parametrize(
    ("firmware", "words"),
    [
        (protocol.FIRMWARE, "as this everpaw flashes it"),
        (protocol.FIRMWARE + 1, "update everpaw, then: everpaw flash board"),
        (protocol.FIRMWARE - 1, "which this everpaw flashes, does too"),
    ],
)
def test_status_names_the_board_s_firmware_beside_the_release(
    firmware: int, words: str, maker: Maker, robot: Robot, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(maker, maker.publish("one"), mcu_firmware=firmware)
    assert robot.look(Remote(maker.repo)) == "done"
    assert main(["status", "--root", str(robot.slots.root)]) == 0
    told = capsys.readouterr().out
    assert f"firmware {firmware}" in told
    assert words in told


def test_a_folder_is_no_repository_and_says_so(robot: Robot, tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match="is missing") as told:
        robot.look(Folder(tmp_path))
    assert told.value.code == "missing"
