"""One flashing: find what is there, write what differs, read every byte back, start, hear HELLO.

main.py goes first and comes last, so a board that was interrupted waits at its prompt, disarmed; the same
line again writes what is missing and nothing else.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge import codec
from firmware_bridge.flash.greeting import greet, leave
from firmware_bridge.flash.plan import MAIN, File, Kind, files_for, kind_of
from firmware_bridge.flash.prompt import Prompt, open_prompt
from firmware_bridge.port import Port
from firmware_bridge.wiring import Wiring
from runtime.contracts.errors import LinkError

BAUD = 115_200
TRIES = 4
"""Of a file whose hash comes back wrong"""
HELLO_S = 1.0
START_S = 15.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    written: tuple[str, ...]
    kept: tuple[str, ...]
    """Already there, byte for byte"""
    hello: codec.Hello | None


@dataclass(frozen=True, slots=True)
class Job:
    path: str
    board: str = ""
    """Name of the kind it must be; empty: any that we have firmware for"""
    trims: tuple[int, ...] = ()
    wiring: Wiring | None = None
    dry_run: bool = False


def flash(job: Job, say: Say, progress: Callable[[str, int, int], None]) -> Outcome:
    """LinkError where the board is wrong, or a file does not come back as it was sent.

    `progress` gets file, bytes written and bytes in all.
    """
    ran = step_out(job.path, say)
    with open_prompt(job.path) as prompt, ExitStack() as runs_on:
        if ran:
            runs_on.callback(prompt.reset)
        identity = prompt.who()
        say(f"found {identity}")
        kind = kind_of(identity, job.board)
        files = files_for(kind, job.trims, job.wiring)
        there = {file.path for file in files if prompt.sha256(file.path) == file.sha256}
        left = [file for file in files if file.path not in there]
        if job.dry_run:
            return Outcome(kind.name, tuple(file.path for file in left), tuple(sorted(there)), None)
        if left and there:
            say(f"{len(there)} of {len(files)} files are there already")
        runs_on.pop_all()
        if left:
            _write_all(prompt, files, left, progress)
        prompt.reset()
    hello = await_hello(job.path)
    if hello is None:
        raise LinkError(
            f"{job.path}: all files are there, but no HELLO came in {START_S:.0f} s; press its reset button,"
            " and type the same line again"
        )
    written = tuple(file.path for file in left)
    return Outcome(kind.name, written, tuple(sorted(there)), hello)


def step_out(path: str, say: Say) -> bool:
    """Where our firmware runs, ask it to its prompt; it refuses while there is torque. Whether it ran."""
    port = Port(path, BAUD)
    try:
        hello = greet(port, HELLO_S)
        if hello is None:
            return False
        say(f"firmware {hello.firmware} runs there, for limits {hello.limits.hex()}")
        if not leave(port, hello, HELLO_S):
            raise LinkError(f"{path}: the board has torque on its servos; disarm it first")
    finally:
        port.close()
    time.sleep(1.0)
    return True


def await_hello(path: str) -> codec.Hello | None:
    """HELLO of a board that starts; its port may go away and come back meanwhile."""
    give_up_s = time.monotonic() + START_S
    while time.monotonic() < give_up_s:
        try:
            port = Port(path, BAUD)
        except LinkError:
            time.sleep(0.2)
            continue
        try:
            hello = greet(port, HELLO_S * 2)
        except OSError:
            hello = None
        finally:
            port.close()
        if hello is not None:
            return hello
    return None


def _write_all(
    prompt: Prompt, files: list[File], left: list[File], progress: Callable[[str, int, int], None]
) -> None:
    if MAIN in prompt.names():
        prompt.remove(MAIN)
    for file in files:
        if file in left or file.path == MAIN:
            _write(prompt, file, progress)


def _write(prompt: Prompt, file: File, progress: Callable[[str, int, int], None]) -> None:
    for attempt in range(TRIES):
        try:
            prompt.write(file.path, file.data, lambda done: progress(file.path, done, len(file.data)))
            if prompt.sha256(file.path) == file.sha256:
                return
        except LinkError:
            if attempt == TRIES - 1:
                raise
            prompt.recover()
    raise LinkError(
        f"{prompt.path}: {file.path} came back different {TRIES} times; try another cable, then the same"
        " line again"
    )


def backup(path: str, folder: Path, say: Say) -> list[str]:
    """Copy every file of the board into a new `folder`; their names. What ran there runs on."""
    if folder.exists():
        raise LinkError(f"{folder} is there already; give a new folder")
    ran = step_out(path, say)
    with open_prompt(path) as prompt, ExitStack() as runs_on:
        if ran:
            runs_on.callback(prompt.reset)
        folder.mkdir(parents=True)
        identity = prompt.who()
        say(f"found {identity}")
        names = prompt.names()
        for name in names:
            target = (folder / name).resolve()
            if not target.is_relative_to(folder.resolve()):
                raise LinkError(f"the board names a file {name!r} outside its root; it is not copied")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(prompt.read(name))
    return names


def describe(hello: codec.Hello, kind: Kind | None = None) -> str:
    """A HELLO in words."""
    arms = "" if hello.joints else "; it has no joints and is never armed"
    return (
        f"firmware {hello.firmware} ({hello.firmware_hash.hex()}), dictionary {hello.dictionary.hex()},"
        f" limits {hello.limits.hex()}, {hello.joints} joints{arms}"
    )
