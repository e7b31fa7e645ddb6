"""`python -m tests.fuzz [TARGET...] [--seconds N]`: coverage-guided fuzzing by atheris, one after another.

What is found is written to tests/fuzz/corpus/TARGET as crash-*, so that the short tests try it from then on;
new inputs that reach new code are kept under build/fuzz and are where the next run goes on.
"""

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from runtime.contracts.errors import EverpawError, MissingExtraError
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
GROWN = Path("build/fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", nargs="*", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=600, help="for each target (default: 600)")
    parser.add_argument("--one", choices=sorted(TARGETS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        return _fuzz(args.one, args.seconds)
    if find_spec("atheris") is None:
        raise MissingExtraError("atheris", "fuzz")
    broken = []
    for name in args.target or TARGETS:
        print(f"everpaw: {name} for {args.seconds} s", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "tests.fuzz", "--one", name, "--seconds", str(args.seconds)]
        broken += [name] if subprocess.run(command).returncode else []
    print(f"everpaw: broken: {', '.join(broken) or 'none'}", file=sys.stderr)
    return int(bool(broken))


def _fuzz(name: str, seconds: int) -> int:
    import atheris

    # Imported anew with its branches counted; what is imported already is not.
    for module in [m for m in sys.modules if m.split(".")[0] in ("runtime", "firmware_bridge")]:
        del sys.modules[module]
    del sys.modules["tests.fuzz.targets"]
    with atheris.instrument_imports(include=["runtime", "firmware_bridge", "tests.fuzz.targets"]):
        from tests.fuzz.targets import TARGETS as INSTRUMENTED
    target, grown, kept = INSTRUMENTED[name], GROWN / name, CORPUS / name
    for folder in (grown, kept):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={target.most}", f"-artifact_prefix={kept}/"]
    atheris.Setup(
        ["fuzz", str(grown), str(kept), "-timeout=20", "-print_final_stats=1", *options], target.read
    )
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        sys.exit(1)
