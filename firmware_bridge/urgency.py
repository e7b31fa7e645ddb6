"""Ask the kernel to run this process before ordinary ones: 50 setpoints a second do not wait for a model."""

import logging
import os
from contextlib import suppress

log = logging.getLogger(__name__)

NICE = -10


def be_urgent() -> str:
    """Round-robin real time where allowed, else a better nice value, else nothing; says which.

    Call it before any thread is started: threads inherit it.
    """
    # Priority 1 of 99: ahead of every ordinary process, behind the kernel's own and audio servers.
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        return "real time"
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        return f"nice {NICE}"
    log.info("no leave to run urgently; a busy machine may stop the body")
    return "ordinary"
