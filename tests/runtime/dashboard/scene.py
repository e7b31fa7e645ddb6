"""The page under test: `everpaw dashboard` before a broker, a browser before that, and who is watched."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from runtime.contracts import messages as m
from tests.runtime.dashboard.browser import Browser
from tests.runtime.dashboard.puppet import BODY, Puppet

PARTS = ("now", "charts", "events", "memory", "robots")
"""The parts of the page, by the names of their tabs"""


class Scene:
    """A browser before the dashboard of one broker, a puppet on it, and perhaps a real body."""

    def __init__(self, page: Browser, puppet: Puppet, port: int) -> None:
        self.page, self.puppet, self.port = page, puppet, port

    def asked(self, model: type[m.Message], count: int = 1) -> list[m.Message]:
        self.page.wait(lambda: len(self.puppet.of(model)) >= count)
        return self.puppet.of(model)


@contextmanager
def dashboard(port: int, *more: str) -> Iterator[str]:
    """The address of `everpaw dashboard` beside the broker at `port`."""
    words = ("dashboard", "--broker", f"127.0.0.1:{port}", "--port", "0", *more)
    # NiceGUI behaves otherwise where this variable tells it of a test.
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    command = [sys.executable, "-m", "runtime.cli", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "http://127.0.0.1:" in line, line
        yield next(word for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        process.wait(10)


def answers(address: str) -> bool:
    from urllib.request import urlopen

    try:
        return bool(urlopen(address, timeout=5).status == 200)
    except OSError:
        return False


def pose(seed: int) -> dict[str, float]:
    random = Random(seed)
    return {j.name: round(random.uniform(j.min_deg, j.max_deg), 2) for j in BODY.joints}
