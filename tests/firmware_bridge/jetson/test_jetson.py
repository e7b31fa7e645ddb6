"""The first install, onto a mounted folder and over an ssh that ends in one; units that systemd accepts."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_bridge.flash.command import main
from firmware_bridge.jetson.preflight import judge, read
from firmware_bridge.jetson.target import Mounted, Payload, Ssh
from firmware_bridge.jetson.units import MOSQUITTO, SERVICES, units
from runtime.contracts.archive import extract
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import ConfigError, LinkError, TrustError
from runtime.contracts.keys import Keyring
from runtime.contracts.pack import verify
from runtime.security import bundle
from runtime.security.certificates import read_certificate
from runtime.security.command import make_broker
from runtime.security.house import House, alone
from tests.packs import Owner, make_pack

L4T = "# R38 (release), REVISION: 2.1, GCID: 42061081, BOARD: generic, EABI: aarch64"
SHIMS = {
    "sudo": '[ "$1" != -n ] || shift; exec "$@"',
    "tar": 'exec /bin/tar -x -p -f - -C "$EVERPAW_ROOT"',
    "sh": 'case "$1" in -*) exec /bin/sh "$@" ;; *) exec /bin/sh "$EVERPAW_ROOT$1" ;; esac',
    "apt-get": "say apt-get",
    "systemctl": "say systemctl",
    "useradd": 'say useradd; : > "$EVERPAW_ROOT/user"',
    "chown": "say chown",
    "id": '[ -e "$EVERPAW_ROOT/user" ]',
    "python3": '[ "$2" != venv ] || { mkdir -p "$3/bin"; '
    ' for p in python pip everpaw; do note "$3/bin/$p"; done; }',
}
"""What a robot would really do is written down; folders and files are real"""


@pytest.fixture
def robot(tmp_path: Path) -> Path:
    """The root file system of a fresh Jetson."""
    root = tmp_path / "disk"
    for folder in ("etc/systemd/system", "opt", "usr/bin", "usr/sbin", "usr/lib/systemd", "var/lib"):
        (root / folder).mkdir(parents=True)
    (root / "etc/nv_tegra_release").write_text(L4T + "\n")
    (root / "etc/os-release").write_text('PRETTY_NAME="Ubuntu 24.04.3 LTS"\n')
    (root / "etc/nvpmodel.conf").write_text("< PM_CONFIG DEFAULT=2 >\n")
    for program in ("usr/bin/python3.12", "usr/lib/systemd/systemd"):
        (root / program).touch()
    return root


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Arguments that name a signed pack, a wheel and keys."""
    owner = Owner(tmp_path / "keys")
    pack = owner.sign(make_pack(tmp_path / "pack"))
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/everpaw-0.1.0-py3-none-any.whl").write_bytes(b"wheel")
    return [
        *("--pack", str(pack), "--wheels", str(tmp_path / "wheels"), "--keys", str(owner.folder)),
        *("--robot-id", "rex", "--repository", "https://example.org/pets", "--channel", "beta"),
    ]


@pytest.fixture
def ssh(robot: Path, tmp_path: Path) -> Path:
    """An ssh that runs everything here, on the robot's disk."""
    shims = tmp_path / "shims"
    shims.mkdir()
    say = (
        'say() { echo "$* $given" >> "$LOG"; }; given="$*"\n'
        'note() { echo "echo ${1##*/} \\"\\$@\\" >> $LOG" > "$1"; chmod +x "$1"; }\n'
    )
    for name, body in SHIMS.items():
        (shims / name).write_text(f"#!/bin/sh\n{say}{body}\n")
        (shims / name).chmod(0o755)
    program = tmp_path / "ssh"
    program.write_text(
        f'#!/bin/sh\nexport EVERPAW_ROOT="{robot}" LOG="{tmp_path}/log" PATH="{shims}:$PATH"\n'
        'while [ "$1" != -- ]; do shift; done\n[ "$2" = rex@robot ] || exit 255\n'
        'shift 2\nexec /bin/sh -c "$*"\n'
    )
    program.chmod(0o755)
    return program


def check_files(robot: Path, tmp_path: Path) -> None:
    """What must lie on the disk after either way."""
    pack = extract(robot / "opt/everpaw/first.paw", tmp_path / "unpacked")
    assert verify(pack, keyring=Keyring.load(robot / "etc/everpaw/keys")).trust == "owner"
    assert not list(robot.rglob("*.pem")), "no private key leaves the workstation"
    config = load_config(RobotConfig, robot / "opt/everpaw/robot.toml")
    assert (config.robot_id, config.update.channel) == ("rex", "beta")
    assert config.update.repository == "https://example.org/pets"
    assert config.update.services == SERVICES
    assert (robot / "etc/systemd/system/everpaw-mind.service").is_file()
    assert os.access(robot / "opt/everpaw/setup", os.X_OK)


def test_onto_a_mounted_disk(
    robot: Path, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(robot.rglob("*"))
    assert main(["jetson", "--mount", str(robot), *words, "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert sorted(robot.rglob("*")) == before, "a dry run changes nothing"
    assert "✓ L4T          R38.2.1" in captured.err
    assert "mode 2 at start" in captured.err
    assert "/opt/everpaw/first.paw" in captured.out
    assert "at the first start" in captured.out

    assert main(["jetson", "--mount", str(robot), *words]) == 0
    check_files(robot, tmp_path)
    link = robot / "etc/systemd/system/multi-user.target.wants/everpaw-first.service"
    assert str(link.readlink()) == "/etc/systemd/system/everpaw-first.service"
    assert main(["jetson", "--mount", str(robot), *words]) == 0, "again is well"


def test_over_ssh(
    robot: Path, words: list[str], ssh: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["jetson", "rex@robot", "--ssh", str(ssh), *words]
    assert main([*command, "--dry-run"]) == 0
    assert not (robot / "opt/everpaw").exists()
    assert "then: sh /opt/everpaw/setup" in capsys.readouterr().out
    assert main(command) == 0
    check_files(robot, tmp_path)
    log = (tmp_path / "log").read_text().splitlines()
    done = [re.sub(r" .*", "", line) for line in log]
    assert done.index("useradd") < done.index("pip") < done.index("everpaw")
    assert any("install" in line and "first.paw --yes" in line for line in log if line.startswith("everpaw"))
    assert re.match("systemctl .*everpaw-mind.service", log[-1])
    assert (robot / "opt/everpaw/installed").is_file()

    (robot / "etc/everpaw/robot.toml").write_text('robot_id = "mine"\n')
    assert main(command) == 0
    assert (robot / "etc/everpaw/robot.toml").read_text() == 'robot_id = "mine"\n', "settings are kept"
    assert (tmp_path / "log").read_text().count("useradd --system") == 1


HOUSE = "192.168.7.20"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The authority of a house whose broker listens at HOUSE."""
    make_broker(tmp_path / "broker", [], HOUSE, None, [])
    return tmp_path / "broker"


def test_a_robot_joins_the_houses_broker_with_a_certificate_of_its_own(
    robot: Path, words: list[str], ssh: Path, house: Path, tmp_path: Path
) -> None:
    joins = ["--broker", HOUSE, "--broker-folder", str(house)]
    command = ["jetson", "rex@robot", "--ssh", str(ssh), *words, *joins]
    before = (house / "register.json").read_bytes()
    assert main([*command, "--dry-run"]) == 0
    assert (house / "register.json").read_bytes() == before, "a dry run issues nothing"

    assert main(command) == 0
    check_files(robot, tmp_path)
    settings = load_config(RobotConfig, robot / "opt/everpaw/robot.toml").mqtt
    assert (settings.host, settings.port) == (HOUSE, 8883)
    assert settings.certificates is not None
    row = House.open(house).register.valid("rex")
    assert row is not None
    assert (row.kind, row.robots) == ("robot", ("rex",))
    places = [robot / str(settings.certificates)[1:], robot / "etc/everpaw/updater"]
    for place in places:
        bundle.context(place)  # raises where key and certificate do not fit, or others may read the key
        issued = read_certificate((place / "client.crt").read_bytes(), "rex")
        assert f"{issued.serial_number:x}" == row.serial
        assert place.stat().st_mode & 0o077 == 0
    log = (tmp_path / "log").read_text()
    assert "chown -R everpaw:everpaw" in log
    assert "everpaw-broker" not in log
    assert not (robot / "etc/systemd/system/everpaw-broker.service").exists()
    mind = (robot / "etc/systemd/system/everpaw-mind.service").read_text()
    assert f"IPAddressDeny=any\nIPAddressAllow=localhost {HOUSE}\n" in mind
    for name in ("update", "attend"):
        unit = (robot / f"etc/systemd/system/everpaw-{name}.service").read_text()
        assert "mqtt.certificates=/etc/everpaw/updater" in unit
        assert "After=network-online.target" in unit

    assert main(command) == 0
    again = House.open(house).register.valid("rex")
    assert again is not None
    assert again.serial == row.serial, "the same line again takes nothing back"


def test_a_broker_that_it_cannot_join_is_told_before_anything_is_changed(
    robot: Path, words: list[str], house: Path, tmp_path: Path
) -> None:
    before = sorted(robot.rglob("*"))
    mount = ["jetson", "--mount", str(robot), *words, "--broker-folder", str(house)]
    with pytest.raises(ConfigError, match="give it as"):
        main([*mount, "--broker", "pets.local"])
    with pytest.raises(TrustError, match=r"does not name 192\.168\.7\.21; type: everpaw security init"):
        main([*mount, "--broker", "192.168.7.21"])
    with pytest.raises(TrustError, match="holds no authority"):
        main([*mount, "--broker", HOUSE, "--broker-folder", str(tmp_path / "none")])
    with alone(house):
        House.open(house).issue("rex", "page", (), datetime.now(UTC))
    with pytest.raises(TrustError, match="rex is a page of this house"):
        main([*mount, "--broker", HOUSE])
    assert sorted(robot.rglob("*")) == before
    assert not (tmp_path / "none").exists()


def test_a_setup_that_fails_says_so_and_is_not_called_installed(
    robot: Path, words: list[str], ssh: Path, tmp_path: Path
) -> None:
    (tmp_path / "shims/useradd").write_text("#!/bin/sh\nexit 9\n")
    with pytest.raises(LinkError, match="type the same line again"):
        main(["jetson", "rex@robot", "--ssh", str(ssh), *words])
    assert not (robot / "opt/everpaw/installed").exists()
    with pytest.raises(LinkError, match="does `ssh nobody@robot` work"):
        main(["jetson", "nobody@robot", "--ssh", str(ssh), *words])
    with pytest.raises(LinkError, match="ssh is not installed"):
        main(["jetson", "rex@robot", "--ssh", str(tmp_path / "none"), *words])
    with pytest.raises(LinkError, match="is no host"):
        Ssh("-oProxyCommand=evil")


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("etc/nv_tegra_release", "# R36 (release), REVISION: 4.3, GCID: 1", "L4T"),
        ("etc/nv_tegra_release", None, "L4T"),
        ("usr/bin/python3.12", None, "python"),
        ("usr/lib/systemd/systemd", None, "systemd"),
    ],
)
def test_a_robot_that_is_not_ready_stays_as_it_is(
    path: str, text: str | None, name: str, robot: Path, words: list[str]
) -> None:
    (robot / path).unlink()
    if text is not None:
        (robot / path).write_text(text)
    before = sorted(robot.rglob("*"))
    with pytest.raises(LinkError, match=f"{name} is not enough; nothing was changed"):
        main(["jetson", "--mount", str(robot), *words])
    assert sorted(robot.rglob("*")) == before
    if name == "L4T" and text is None:
        assert main(["jetson", "--mount", str(robot), *words, "--any-board"]) == 0


def test_what_is_given_is_checked_before_the_robot_is_asked(
    robot: Path, words: list[str], tmp_path: Path
) -> None:
    mount = ["jetson", "--mount", str(robot), *words]
    with pytest.raises(ConfigError, match="or --mount DIR"):
        main(["jetson", *words])
    with pytest.raises(LinkError, match="no root file system"):
        main(["jetson", "--mount", str(tmp_path), *words])
    with pytest.raises(TrustError, match="is not signed by a key"):
        main([*mount, "--pack", str(make_pack(tmp_path / "unsigned"))])
    with pytest.raises(ConfigError, match="pip wheel --no-deps"):
        main([*mount, "--wheels", str(tmp_path / "none")])


def test_a_link_on_the_disk_does_not_lead_out_of_it(robot: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (robot / "srv").symlink_to(outside)
    with pytest.raises(LinkError, match="leads out of"):
        Mounted(robot).send({"srv/evil": Payload(b"x")})
    assert not list(outside.iterdir())


def test_nvidias_own_command_is_shown_and_nothing_else_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jetson", "--nvidia", "orin-nano"]) == 0
    assert "l4t_initrd_flash.sh jetson-orin-nano-devkit" in capsys.readouterr().out


def test_answers_are_read_and_judged() -> None:
    facts = read("l4t=# R39 (release), REVISION: 2.0, x\npython=3.12\npython=3.10\nfree_mb=9\nnoise\nsudo=\n")
    rows = {finding.name: finding for finding in judge(facts, runs=True, any_board=False)}
    assert (rows["L4T"].well, rows["python"].well, rows["python"].seen) == (True, True, "3.12")
    assert not rows["disk"].well
    assert not rows["sudo"].well
    assert rows["mosquitto"].weight == "optional"


def test_a_gpu_brings_engines_that_are_built_at_night(
    robot: Path, words: list[str], ssh: Path, tmp_path: Path
) -> None:
    assert main(["jetson", "rex@robot", "--ssh", str(ssh), *words, "--gpu"]) == 0
    config = load_config(RobotConfig, robot / "etc/everpaw/robot.toml")
    service = (robot / "etc/systemd/system/everpaw-engines.service").read_text()
    assert f"StateDirectory={config.engines.folder.name}\n" in service
    assert "engines build" in service
    log = (tmp_path / "log").read_text()
    assert "everpaw[gpu,device,update]" in log
    assert "everpaw[tensorrt]" in log
    assert log.index("everpaw-engines.timer") < log.index(
        "systemctl start --no-block everpaw-engines.service"
    )


def test_a_gpu_without_tensorrt_is_installed_all_the_same(
    robot: Path, words: list[str], ssh: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    refuse = """echo 'case "$*" in *"[tensorrt]") exit 1 ;; esac' >> "$1"; chmod"""
    shim = tmp_path / "shims/python3"
    shim.write_text(shim.read_text().replace("chmod", refuse, 1))
    assert main(["jetson", "rex@robot", "--ssh", str(ssh), *words, "--gpu"]) == 0
    assert "no TensorRT for Python here: CUDA serves" in capfd.readouterr().err
    assert (robot / "opt/everpaw/installed").is_file()


def test_every_service_is_locked_up() -> None:
    for name, text in units(gpu=True).items():
        if not name.endswith(".service") or name == "everpaw-first.service":
            continue
        for rule in (
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "ProtectHome=yes",
            "CapabilityBoundingSet=\n",
        ):
            assert rule in text, (name, rule)
        updater = name in ("everpaw-update.service", "everpaw-attend.service")
        assert ("IPAddressDeny=any" in text) == (not updater), name
        assert ("User=everpaw" in text) == (name in (*SERVICES, "everpaw-broker.service")), name
    assert "listener 1883 127.0.0.1" in MOSQUITTO


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("broker", ["", HOUSE])
def test_systemd_accepts_the_units(broker: str, tmp_path: Path) -> None:
    for name, text in units(broker=broker, gpu=True).items():
        (tmp_path / name).write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text))
    command = ["systemd-analyze", "verify", "--man=no", *sorted(str(p) for p in tmp_path.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    ours = [line for line in done.stderr.splitlines() if "everpaw" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr
