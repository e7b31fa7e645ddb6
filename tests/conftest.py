"""No test writes into the home of whoever runs it, or makes the tests themselves go before all other work."""

import os
from collections.abc import Iterator

import pytest


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
