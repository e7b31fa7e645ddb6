"""The systemd units that read `current`: restarted after a switch, and asked whether they came up."""

import subprocess
from collections.abc import Callable, Sequence

RESTART_S = 20.0
ALIVE_S = 10.0


def restart(services: Sequence[str], release: str, says: Callable[[str, float], bool]) -> str:
    """Why they do not serve `release`; empty where they do, or there are none.

    `says(release, timeout_s)`: True once the mind says on the bus that it runs this pack.
    """
    if not services:
        return ""
    command = ["systemctl", "restart", *services]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RESTART_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the services do not restart ({error})"
    if done.returncode != 0:
        return f"the services do not restart: {done.stderr.strip()[-200:]}"
    if not says(release, ALIVE_S):
        return f"no mind said within {ALIVE_S:g} s that it runs {release[:12]}"
    return ""
