"""No test writes into the home of whoever runs it, or makes the tests themselves go before all other work."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
AT_THE_PACE_OF_LIFE = (
    "runtime/dashboard", "runtime/demo", "runtime/eyes", "runtime/neighbours", "runtime/scenarios",
    "test_demo.py", "training/school/test_processes.py",
)  # fmt: skip
"""Real browsers, brokers, processes and voices. A starved machine may fail one for nothing, so it gets a
second go, which the closing line counts. No test of firmware, bridge or dead-man is among them"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(HERE).as_posix().startswith(AT_THE_PACE_OF_LIFE):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session", autouse=True)
def _data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _ordinary() -> Iterator[None]:
    """A bridge or board asked for in this process is no more urgent than it; those of their own are."""

    def refuse(*_: object) -> None:
        raise PermissionError

    before = os.sched_getscheduler(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_setscheduler", refuse)
        patch.setattr(os, "setpriority", refuse)
        yield
    assert os.sched_getscheduler(0) == before
