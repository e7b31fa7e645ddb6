"""`everpaw doctor`: every line has a cure, and a check that breaks does not end the round."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from runtime import doctor
from runtime.cli import main
from runtime.contracts.config import DialogueSettings, MemorySettings, MqttSettings, RobotConfig
from runtime.finding import Finding
from runtime.mind.memory import consent
from runtime.mind.memory.consent import Consent
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.store import DATABASE, Store
from tests.fakes.chat_server import chat_server


def test_this_machine_is_well_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor.CHECKS) + len(doctor.ROBOT_CHECKS)
    assert all(line.startswith(("✓", "-")) for line in lines)


def test_findings_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(set(row) == {"name", "well", "seen", "cure", "weight", "figure"} for row in rows)
    assert all(row["cure"] for row in rows if not row["well"])


def test_a_need_unmet_fails_and_a_broken_check_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Finding:
        raise OSError("no such device")

    monkeypatch.setattr(doctor, "CHECKS", (doctor.python, broken))
    assert main(["doctor"]) == 1
    assert "✗ broken" in capsys.readouterr().out


def test_two_onnxruntime_wheels_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "1.32.0")
    finding = doctor.onnxruntime()
    assert not finding.well
    assert "overwrite each other" in finding.cure


def remembering(folder: Path) -> Finding:
    return doctor.facts(RobotConfig(memory=MemorySettings(path=folder)))


def test_what_it_knows_of_people_is_told_and_looking_makes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    found = remembering(folder)
    assert found.well
    assert "may not remember" in found.seen
    assert not folder.exists()
    consent.write(folder, Consent(allowed=True, how="command"))
    assert remembering(folder).seen == f"may remember; nothing kept in {folder}"
    assert not (folder / DATABASE).exists()


def test_facts_are_counted_with_their_key_and_nothing_is_changed(tmp_path: Path) -> None:
    consent.write(tmp_path, Consent(allowed=True, how="command"))
    told = [Fact(subject="I", relation="like", value=what, text=f"I like {what}") for what in ("tea", "soup")]
    with closing(Store(tmp_path)) as rows:
        rows.change(adding=told)
    (tmp_path / "key-0123456789abcdef").write_bytes(b"of a process that was killed")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    found = remembering(tmp_path)
    assert found.well
    assert found.seen == f"may remember; 2 facts in {tmp_path}, all opened by their key"
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda folder: next(folder.glob("key-*")).unlink(), "key of the memory"),
        (lambda folder: next(folder.glob("key-*")).chmod(0o644), "chmod 600"),
        (lambda folder: (folder / DATABASE).write_bytes(b"noise"), "damaged"),
        (lambda folder: (folder / consent.FILE).write_text("{"), "everpaw memory allow"),
    ],
)
def test_a_memory_that_cannot_be_opened_is_a_cross(tmp_path: Path, harm: object, told: str) -> None:
    consent.write(tmp_path, Consent(allowed=True, how="command"))
    Store(tmp_path).close()
    assert callable(harm)
    harm(tmp_path)
    found = remembering(tmp_path)
    assert not found.well
    assert told in found.seen


def talking(**settings: str) -> Finding:
    return doctor.dialogue(RobotConfig(dialogue=DialogueSettings.model_validate(settings)))


def test_no_server_is_no_fault() -> None:
    assert talking().well
    assert "nothing said leaves" in talking().seen


def test_a_server_is_asked_what_it_offers() -> None:
    with chat_server(lambda handler: None) as server:
        found = talking(server=server.url)
        assert found.well
        assert found.seen == f"{server.url} answers, in the house; offers small-one"
        assert talking(server=server.url, model="small-one").well
        absent = talking(server=server.url, model="big-one")
    assert not absent.well
    assert absent.seen.endswith("not dialogue.model = big-one")
    silent = talking(server=server.url)
    assert not silent.well
    assert "does not answer" in silent.seen


def test_a_server_outside_needs_a_recorded_consent() -> None:
    found = talking(server="https://93.184.216.34/v1")
    assert not found.well
    assert "dialogue.consent" in found.seen


def test_the_broker_of_the_settings_is_looked_for() -> None:
    found = doctor.broker(RobotConfig(mqtt=MqttSettings(port=1)))
    assert found.well
    assert "can be started" in found.seen
    elsewhere = doctor.broker(RobotConfig(mqtt=MqttSettings(host="broker.invalid", port=1)))
    assert not elsewhere.well
    assert "none answers at broker.invalid:1" in elsewhere.seen
