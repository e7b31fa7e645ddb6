"""What the owner switched outlives a restart, is on record, and a broken record opens nothing."""

from datetime import UTC
from pathlib import Path

import numpy as np
import pytest

from runtime.audio.mute import Gate
from runtime.contracts.audio import AudioBlock
from runtime.privacy.switches import FILE, Switches


def test_the_newest_word_counts_and_all_are_on_record(tmp_path: Path) -> None:
    one, other = Switches(tmp_path), Switches(tmp_path)
    assert one.on("share_text", True)
    one.note("share_text", False, "page")
    assert not other.on("share_text", True)
    other.note("share_text", True, "command")
    assert one.on("share_text", False)
    assert [(c.what, c.on, c.how) for c in Switches(tmp_path).changes()] == [
        ("share_text", False, "page"),
        ("share_text", True, "command"),
    ]
    assert all(c.at is not None and c.at.tzinfo == UTC for c in one.changes())
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{}x", '{"changes": [{"what": "lessons", "on": true}]}'])
def test_a_broken_record_mutes_and_consents_to_nothing(tmp_path: Path, text: str) -> None:
    switches = Switches(tmp_path)
    switches.note("lessons", True, "command")
    (tmp_path / FILE).write_text(text)
    assert not switches.on("lessons", True)
    assert not switches.on("share_text", True)
    assert switches.on("muted", False)


def test_the_gate_gives_zeros_and_looks_at_them() -> None:
    gate, sound = Gate(), AudioBlock(np.full(160, 700, np.int16), 320)
    assert gate.step(sound) is sound
    assert not gate.look(sound)
    gate.muted = True
    out = gate.step(sound)
    assert not out.samples.any()
    assert (len(out.samples), out.start_sample) == (160, 320)
    assert gate.look(out)
    assert gate.silent
    assert gate.look(sound), "sound that came past the gate is told"
    assert not gate.silent
    gate.muted = False
    assert gate.step(sound) is sound
