"""What a page asks to be erased: the mind's life ends, what it kept is destroyed, and another life begins.

Nothing is destroyed under a living mind, which would write it down again; and what it had in its own memory
goes with its process, whose place another takes.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from runtime.bus import Bus
from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import BusError, EverpawError
from runtime.contracts.reports import ErasedAck
from runtime.contracts.requests import EraseRequest
from runtime.data_folder import in_use
from runtime.privacy import erasing
from runtime.privacy.holdings import Holdings

_log = logging.getLogger(__name__)
TELL_S = 5.0


def begin_anew(config: RobotConfig, asked: EraseRequest, replace: Callable[[], object] | None = None) -> None:
    """Erase, tell what became of it, and give this process' place to a new one of the same command."""
    answer = erased(Holdings.of(config), asked)
    if not answer.ok:
        _log.error("%s", answer.reason)
    with suppress(BusError):  # nobody hears it then; what was destroyed stays so
        _tell(config, answer)
    (replace or _replace)()


def erased(held: Holdings, asked: EraseRequest) -> ErasedAck:
    """What came of it. Journals of events are not touched here: mind and bridge empty their own."""
    wanted = [name for name in asked.only if name != "events"]
    try:
        with in_use(held.folder):
            found = erasing.erase(held, wanted)
    except (EverpawError, OSError) as error:
        return ErasedAck(id=asked.id, ok=False, reason=str(error))
    return ErasedAck(id=asked.id, ok=True, erased=asked.only, searched_for=found.needles, files=found.files)


def _tell(config: RobotConfig, answer: ErasedAck) -> None:
    mqtt = config.mqtt
    with Bus(config.robot_id, mqtt.host, mqtt.port, certificates=mqtt.certificates) as bus:
        receipt = bus.send("ack/erased", answer)
        give_up_s = time.monotonic() + TELL_S
        while receipt is not None and not receipt() and time.monotonic() < give_up_s:
            time.sleep(0.02)


def _replace() -> None:
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
