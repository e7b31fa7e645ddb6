"""The configuration files for several GPUs, and the lines to type, are such that accelerate takes them."""

import shlex
from pathlib import Path

import pytest

pytest.importorskip("accelerate", reason="needs the extra: pip install 'everpaw[training]'")

from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser

from training.school import course

FOLDER = Path(course.__file__).parent / "launch"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_accelerate_reads_it(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert config.num_processes > 1
    assert str(config.distributed_type).rpartition(".")[2] == ("FSDP" if path.stem == "fsdp" else "MULTI_GPU")
    known = {action.dest for action in launch_command_parser()._actions}
    assert set(config.fsdp_config or {}) <= known
    assert path.stem != "fsdp" or config.fsdp_config["fsdp_sharding_strategy"] == "FULL_SHARD"
    assert path.stem != "nodes" or config.num_machines == 2


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_line_to_type_is_one_that_accelerate_takes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# UNTRIED.")
    [line] = [row.removeprefix("#").strip() for row in text.splitlines() if "accelerate launch" in row]
    args = launch_command_parser().parse_args(shlex.split(line)[2:])
    assert FOLDER / Path(args.config_file).name == path
    assert args.module
    assert args.training_script == "training.behaviour"
    assert args.training_script_args == ["--config", "C.toml", "--out", "DIR"]
