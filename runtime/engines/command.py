"""`everpaw engines build | list | verify | clear`: TensorRT engines of a pack, built where they run."""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime import starter
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import ConfigError, EngineError
from runtime.contracts.pack import Pack
from runtime.engines import by_onnxruntime, ladder
from runtime.engines.builder import TIMING_CACHE, Order, build, load_tensorrt
from runtime.engines.device import Device
from runtime.engines.session import CPU, CUDA, ON_CPU, TENSORRT, Engine, Place
from runtime.engines.shapes import Span, example
from runtime.engines.store import WRAPPER, Found, Key, Record, Store, file_of
from runtime.pace import Pace

BUILDERS = {"tensorrt": build, "onnxruntime": by_onnxruntime.build}
Run = Callable[[Path, Path], float]
"""(model, wrapper) -> how far the engine's answers are from the processor's"""


def main(argv: list[str]) -> int:
    """`everpaw engines`."""
    args = _parse(argv)
    config = load_config(RobotConfig, args.config, args.set)
    store = Store(config.engines.folder)
    work: Callable[[argparse.Namespace, RobotConfig, Store], int] = args.work
    return work(args, config, store)


def _build(args: argparse.Namespace, config: RobotConfig, store: Store) -> int:
    if args.by == "tensorrt":
        load_tensorrt()  # says at once what is missing
    os.nice(10)  # the pet goes on living beside it
    pack = starter.load_pack(config.pack.path, config.pack.keys)
    maker = Maker(store, Device.here(), config.engines.memory_mb << 20, dict(args.span), BUILDERS[args.by])
    failed, built = 0, 0
    for name, path in models(pack):
        try:
            had = maker.find(path).state == "good" and not args.anew
            found = maker.make(name, path, anew=args.anew)
            built += not had
            print(f"{name}: {found.why}")
        except (EngineError, ConfigError) as error:
            failed += 1
            print(f"{name}: {error}", file=sys.stderr)
    if built and args.then:
        failed += subprocess.run(args.then, check=False).returncode
    return int(failed > 0)


def models(pack: Pack) -> list[tuple[str, Path]]:
    return [(name, pack.path(model.file)) for name, model in pack.manifest.models.items()]


@dataclass(frozen=True)
class Maker:
    """Builds what is missing, wrong or stale, and proves it before it may serve."""

    store: Store
    device: Device
    memory_bytes: int
    spans: dict[str, Span]
    build: Callable[[Order], Path] = build
    run: Run | None = None

    def find(self, path: Path) -> Found:
        """What there is for this model on this machine."""
        return self.store.find(self._key(path))

    def _key(self, path: Path) -> Key:
        return ladder.key_of(path, Engine(path, place=ON_CPU), self.device, self.spans)

    def make(self, name: str, path: Path, anew: bool = False) -> Found:
        """A good engine for this model; EngineError where none can be made: nothing is left of the try."""
        key = self._key(path)
        found = self.store.find(key)
        if found.state == "good" and not anew:
            return found
        self.store.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.store.folder, prefix=".new-") as scratch:
            out, begun = Path(scratch), time.monotonic()
            timings = self.store.folder / TIMING_CACHE
            self.build(Order(path, key.profiles, out, timings, self.memory_bytes, _teller(name)))
            apart = (self.run or _apart)(path, out / WRAPPER)
            allowed = ladder.TOLERANCES.get(key.precision, ladder.TOLERANCES["fp32"])
            if not apart <= allowed:
                raise EngineError(
                    f"the engine's answers are {apart:.2g} from the processor's, at most {allowed:g}; it is "
                    "thrown away"
                )
            files = {part.name: file_of(part) for part in sorted(out.iterdir())}
            took_s = round(time.monotonic() - begun, 1)
            return self.store.add(
                Record(model=name, key=key, files=files, seconds=took_s, max_abs=apart), out
            )


def _apart(path: Path, wrapper: Path) -> float:
    """Through onnxruntime's TensorRT provider, on an example of the usual size."""
    cpu = Engine(path, place=ON_CPU)
    feeds = example(cpu.input_shapes, cpu.input_types)
    engine = Engine(path, place=Place((TENSORRT, CUDA, CPU), wrapper))
    found = engine.run(feeds)
    if TENSORRT not in engine.providers:
        raise EngineError(
            "onnxruntime does not take the engine; are its TensorRT and this one of one version?"
        )
    return ladder.difference(cpu.run(feeds), found)


def _teller(name: str) -> Callable[[str, int, int], None]:
    """A line every few seconds."""
    paces: dict[str, Pace] = {}
    last_s = time.monotonic()

    def tell(phase: str, done: int, total: int) -> None:
        nonlocal last_s
        pace = paces.setdefault(phase, Pace(total))
        if time.monotonic() - last_s > 5:
            last_s = time.monotonic()
            print(f"{name}: {phase}, {done} of {total}, {pace.left(done)}", file=sys.stderr, flush=True)

    return tell


def _list(args: argparse.Namespace, config: RobotConfig, store: Store) -> int:
    found = list(store.everything(Device.here()))
    for one in found:
        print(json.dumps(_row(one)) if args.json else _line(one))
    if not found:
        print(f"no engine in {store.folder}; make them with: everpaw engines build", file=sys.stderr)
    return 0


def _verify(args: argparse.Namespace, config: RobotConfig, store: Store) -> int:
    """Each model of the pack: is there an engine for exactly it, and is every byte as it was built?"""
    device, bad = Device.here(), 0
    for name, path in models(starter.load_pack(config.pack.path, config.pack.keys)):
        found = store.find(ladder.key_of(path, Engine(path, place=ON_CPU), device, dict(args.span)))
        bad += found.state != "good"
        print(
            json.dumps({"model": name, **_row(found)}) if args.json else f"{name}: {found.state}, {found.why}"
        )
    return int(bad > 0)


def _clear(args: argparse.Namespace, config: RobotConfig, store: Store) -> int:
    device = Device.here()
    gone = [one for one in store.everything(device) if args.all or one.state != "good"]
    for one in gone:
        store.remove(one)
        print(f"{one.folder.name[:12]}: removed, {one.state}: {one.why}")
    print(f"{len(gone)} engines removed", file=sys.stderr)
    return 0


def _row(found: Found) -> dict[str, object]:
    record = found.record.model_dump(by_alias=True) if found.record else None
    return {"folder": str(found.folder), "state": found.state, "why": found.why, "record": record}


def _line(found: Found) -> str:
    name = found.record.model if found.record else "?"
    precision = found.record.key.precision if found.record else ""
    facts = f"{found.state:<10} {name:<18} {precision:<5} {found.size:>12,}"
    return f"{found.folder.name[:12]}  {facts}  {found.why}"


def _span(text: str) -> tuple[str, Span]:
    name, _, numbers = text.rpartition("=")
    try:
        least, usual, most = (int(n) for n in numbers.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not AXIS=LEAST,USUAL,MOST") from error
    if not (name and 0 <= least <= usual <= most):
        raise argparse.ArgumentTypeError(f"{text!r}: give a name, then three numbers that rise")
    return name, (least, usual, most)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw engines", description="TensorRT engines of the pack, built on the machine that runs it."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, help="robot.toml, for the pack and [engines]")
    common.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
    words = parser.add_subparsers(dest="what", required=True)

    def add(name: str, work: Callable[..., int], help: str) -> argparse.ArgumentParser:
        word = words.add_parser(name, help=help, parents=[common])
        word.set_defaults(work=work)
        return word

    make = add("build", _build, "build what is missing, wrong or stale; hours on a small machine")
    make.add_argument("--by", choices=BUILDERS, default="tensorrt", help="whose builder; default tensorrt")
    make.add_argument("--anew", action="store_true", help="build all, whatever is there")
    make.add_argument(
        "--then", type=shlex.split, metavar="COMMAND", help="run it where something was built: a running pet"
        " takes engines up when it starts"
    )  # fmt: skip
    verify = add("verify", _verify, "is there a good engine for each model? exit 1 where not")
    for word in (make, verify):
        word.add_argument("--span", type=_span, action="append", default=[], metavar="AXIS=LEAST,USUAL,MOST")
    shown = add("list", _list, "all engines: good, damaged, or made for another machine")
    for word in (verify, shown):
        word.add_argument("--json", action="store_true", help="one object a line")
    add("clear", _clear, "remove all that cannot be used").add_argument(
        "--all", action="store_true", help="the good ones too"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
