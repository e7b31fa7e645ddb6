"""One browser and one dashboard for all tests of the page."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from runtime import starter
from runtime.simulated import simulated_body

if TYPE_CHECKING:
    from tests.runtime.dashboard.scene import Scene


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Scene]":
    from tests.runtime.dashboard.browser import browser  # skips where there is none to drive
    from tests.runtime.dashboard.puppet import Puppet
    from tests.runtime.dashboard.scene import Scene, answers, dashboard

    with ExitStack() as stack:
        port = stack.enter_context(simulated_body("real", starter.load_pack())).broker.port
        address = stack.enter_context(dashboard(port))
        puppet = stack.enter_context(closing(Puppet(port, tmp_path_factory.mktemp("pet") / "memory")))
        ended = threading.Event()
        ticking = threading.Thread(target=lambda: [puppet.tick() for _ in iter(lambda: ended.wait(1), True)])
        ticking.start()
        stack.callback(ticking.join)
        stack.callback(ended.set)
        page = stack.enter_context(browser(address))
        page.wait(lambda: answers(address))
        yield Scene(page, puppet, port)


@pytest.fixture
def fresh(scene: "Scene") -> None:
    """The page as it is first seen, and nothing asked yet."""
    scene.page.media()
    scene.puppet.share_text = scene.puppet.muted = False
    scene.puppet.desk.tell()
    scene.page.show()
    scene.puppet.asked.clear()
