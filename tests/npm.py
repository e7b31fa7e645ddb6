"""Files of npm packages that only tests need, fetched once into a cache; what cannot be had skips."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_FETCH_S = 60


def fetched(package: str, version: str, file: str) -> Path:
    """The path of `file` in that version of `package`."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    cache = home / "everpaw" / f"{package.rpartition('/')[2]}-{version}"
    found = cache / "node_modules" / package / file
    if found.is_file():
        return found
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    cache.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(cache), "--no-audit", "--no-fund", f"{package}@{version}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm could not fetch {package} in {_FETCH_S} s")
    if done.returncode or not found.is_file():
        pytest.skip(f"npm could not fetch {package}: {done.stderr.strip().splitlines()[-1:]}")
    return found
