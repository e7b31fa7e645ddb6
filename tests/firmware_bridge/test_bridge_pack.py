"""Which packs the bridge moves by: those that the mind would run, and only what their manifest names."""

import json
from pathlib import Path

import pytest

from firmware_bridge.bridge import main, moves
from runtime.contracts.body import load_body
from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import PackError
from runtime.contracts.pack import MANIFEST_NAME
from tests.firmware_bridge.owner import PACK
from tests.packs import Owner, make_pack


def test_the_bridge_moves_only_by_a_pack_that_the_mind_would_run(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", {"skills/sit.toml": (PACK / "skills" / "sit.toml").read_bytes()})
    owner, stranger = Owner(tmp_path / "keys"), Owner(tmp_path / "strangers")
    given = {"path": pack, "keys": owner.folder}

    def library(**more: object) -> list[str]:
        config = RobotConfig.model_validate({"pack": given | more})
        return list(moves(config, load_body())[1])

    with pytest.raises(PackError, match="carries no signature"):
        library()
    assert library(allow_unsigned=True) == ["sit"]
    stranger.sign(pack)
    with pytest.raises(PackError, match="whom this robot does not trust"):
        library()
    owner.sign(pack)
    assert library() == ["sit"]
    (pack / "skills" / "sit.toml").write_bytes((PACK / "skills" / "lie.toml").read_bytes())
    with pytest.raises(PackError, match=r"sit.toml (has|was altered)"):
        library()


def test_the_bridge_refuses_a_pack_for_another_board_protocol(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", {"skills/sit.toml": b""})
    manifest = json.loads((pack / MANIFEST_NAME).read_text())
    (pack / MANIFEST_NAME).write_text(json.dumps(manifest | {"requires": {"mcu_protocol": 9}}))
    with pytest.raises(PackError, match="needs board protocol 9"):
        main(["--port", "/dev/none", "--pack", str(pack), "--set", "pack.allow_unsigned=true"])
