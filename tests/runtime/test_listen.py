"""`everpaw listen` and `say` on the starter pack: the object they promise, and files that are no good."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runtime.cli import main
from runtime.demo.script import CLIPS

SIT = CLIPS / "hey_buddy_sit_down.flac"
UTTERANCE_KEYS = {
    "start_s", "end_s", "text", "confidence", "intent", "slots", "action", "mood", "reply", "by", "why",
}  # fmt: skip


def rows(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> list[dict]:
    status = main([str(word) for word in argv])
    out = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert status == int(any("error" in row for row in out))
    return out


def test_a_called_command(capsys: pytest.CaptureFixture[str]) -> None:
    [row] = rows(capsys, "listen", "--json", SIT)
    assert set(row) == {"file", "duration_s", "wakes", "utterances", "timings_ms"}
    assert [wake["name"] for wake in row["wakes"]] == ["hey buddy"]
    [utterance] = row["utterances"]
    assert set(utterance) == UTTERANCE_KEYS
    assert (utterance["intent"], utterance["action"], utterance["slots"]) == ("sit", "sit", {})
    assert 0 <= utterance["start_s"] < utterance["end_s"] <= row["duration_s"] + 0.2
    assert row["timings_ms"] is None


def test_without_its_name_it_does_not_listen_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    clip = CLIPS / "wag_your_tail.flac"
    assert rows(capsys, "listen", "--json", clip)[0]["utterances"] == []
    [utterance] = rows(capsys, "listen", "--json", "--wake", "off", clip)[0]["utterances"]
    assert utterance["intent"] == "wag_tail"


def test_order_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    files = [SIT, CLIPS / "hey_buddy_turn_around.flac", CLIPS / "stop.flac"]
    forward = rows(capsys, "listen", "--json", *files)
    backward = rows(capsys, "listen", "--json", *reversed(files))
    assert forward == backward[::-1]


def test_real_time_gives_timings(capsys: pytest.CaptureFixture[str]) -> None:
    [row] = rows(capsys, "listen", "--json", "--realtime", SIT)
    stages = ("endpoint", "asr", "behaviour", "reply", "total")
    assert all(len(row["timings_ms"][name]) == 1 for name in stages)


def test_bad_files_are_told_and_the_others_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(7)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("not a sound")
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000, np.int16), 16_000)
    soundfile.write(tmp_path / "clipped.wav", np.sign(rng.normal(size=16_000)), 16_000)
    samples, rate = soundfile.read(SIT)
    soundfile.write(tmp_path / "stereo8k.wav", np.stack([samples[::2]] * 2, axis=1), rate // 2)
    files = sorted(tmp_path.iterdir())
    found = {Path(row["file"]).name: row for row in rows(capsys, "listen", "--json", *files, SIT)}
    assert {name for name, row in found.items() if "error" in row} == {"empty.wav", "text.wav"}
    assert found["silent.wav"]["utterances"] == []
    assert found["stereo8k.wav"]["wakes"]
    assert found[SIT.name]["utterances"]


@pytest.mark.parametrize("wake", ["nobody", "missing.onnx"])
def test_an_unknown_name_is_told(wake: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--wake", wake, str(SIT)]) == 1
    assert "everpaw: --wake" in capsys.readouterr().err


def test_say(capsys: pytest.CaptureFixture[str]) -> None:
    [row] = rows(capsys, "say", "sit down", "--json")
    assert set(row) == UTTERANCE_KEYS
    assert (row["intent"], row["start_s"]) == ("sit", None)
    assert row["reply"]


def test_say_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    [row] = rows(capsys, "say", "the stock market fell again on tuesday", "--json")
    assert row["intent"] is None
    assert row["reply"]
