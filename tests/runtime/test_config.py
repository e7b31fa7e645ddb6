"""Settings: TOML, overrides, and one clear line for each mistake."""

from pathlib import Path

import pytest

from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import ConfigError


def test_defaults_need_no_file() -> None:
    config = load_config(RobotConfig)
    assert config.robot_id == "buddy"
    assert not config.privacy.share_text


def test_file_then_overrides(tmp_path: Path) -> None:
    file = tmp_path / "robot.toml"
    file.write_text('robot_id = "rex"\n[mqtt]\nport = 1884\n')
    config = load_config(RobotConfig, file, ["mqtt.port=1885", "audio.source=silence", "wake.heads=[]"])
    assert (config.robot_id, config.mqtt.port, config.audio.source) == ("rex", 1885, "silence")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("mqtt.prot=1", "unknown setting 'mqtt.prot'"),
        ("mqtt.port=99999", "mqtt.port = 99999"),
        ("robot_id=Rex", "robot_id"),
        ("mqtt", "part.key=value"),
        ("=3", "part.key=value"),
        ("seed.x.y=3", "seed"),
    ],
)
def test_mistakes_are_named(override: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_config(RobotConfig, None, [override])


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(RobotConfig, tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("robot_id = \n")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(RobotConfig, broken)


def test_an_override_inside_a_value_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "robot.toml"
    file.write_text("seed = 3\n")
    with pytest.raises(ConfigError, match="is a value"):
        load_config(RobotConfig, file, ["seed.a=1"])
