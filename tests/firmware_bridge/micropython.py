"""Run the board's files under real MicroPython: its WebAssembly build, by node.

The build is fetched by npm once into a cache; without node, npm or network the tests skip and say so.
"""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from firmware_bridge import dictionary
from tests.npm import fetched

PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.27.0"
FILES = (
    "__init__.py",
    *dictionary.FIRMWARE_FILES,
    "version.py",
    "loop.py",
)
HEAP = 16_000_000

RUNNER = """
import { readFileSync } from "fs";
const [module, input] = process.argv.slice(2);
const { loadMicroPython } = await import(module);
const job = JSON.parse(readFileSync(input, "utf8"));
const mp = await loadMicroPython({ heapsize: job.heap, stdout: (line) => console.log(line) });
for (const folder of job.folders) mp.FS.mkdir(folder);
for (const [name, text] of Object.entries(job.files)) mp.FS.writeFile(name, text);
for (const [name, path] of Object.entries(job.blobs)) mp.FS.writeFile(name, readFileSync(path));
mp.FS.writeFile("/job.json", JSON.stringify(job.data));
mp.runPython("import sys; sys.path.append('/')");
for (const script of job.scripts) mp.runPython(script);
"""


@cache
def module() -> Path:
    """micropython.mjs, from the cache or fetched."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    return fetched(PACKAGE, VERSION, "micropython.mjs")


def run(
    folder: Path,
    script: str | list[str],
    data: object = None,
    blobs: dict[str, bytes] | None = None,
    files: dict[str, str] | None = None,
    timeout_s: float = 240,
) -> dict[str, object]:
    """Run `script` beside the board's files and `files`; the JSON object it prints last.

    Of several scripts each sees the names of those before; garbage is collected only between them.
    """
    found = {f"/mcu/{name}": (dictionary.MCU / name).read_text() for name in FILES} | (files or {})
    folders = sorted({str(Path(name).parent) for name in found} - {"/"})
    paths = {}
    for number, (name, content) in enumerate((blobs or {}).items()):
        (folder / f"blob{number}").write_bytes(content)
        paths[name] = str(folder / f"blob{number}")
    (folder / "runner.mjs").write_text(RUNNER)
    job = {
        "files": found,
        "folders": folders,
        "blobs": paths,
        "scripts": [script] if isinstance(script, str) else script,
        "data": data,
        "heap": HEAP,
    }
    (folder / "job.json").write_text(json.dumps(job))
    done = subprocess.run(
        ["node", str(folder / "runner.mjs"), str(module()), str(folder / "job.json")],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-900:]
    answer: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
