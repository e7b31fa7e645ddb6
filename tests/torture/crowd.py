"""The owner's page before a crowd: 1,000 plain robots on its broker that tell ten messages a second each.

How long from a click on STOP in a real browser to the robot, and from the robot's word to what the page
shows; and what the page's process costs. `python -m tests.torture.crowd --help`.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

from runtime.bench import percentiles
from runtime.broker import run_broker
from runtime.bus import Bus
from runtime.process import children, cpu_s, resident_mb
from runtime.simulated import process
from tests.runtime.dashboard.browser import Browser, browser
from tests.runtime.dashboard.puppet import Puppet
from tests.runtime.dashboard.scene import answers, dashboard

SETTLE_S = 5.0
_NOTE = """
const stop = document.querySelector('[data-do=stop]');
stop.addEventListener('click', () => { window.clicked = Date.now(); }, true);
const status = document.querySelector('[data-see=status]');
new MutationObserver(() => { window.shown = [Date.now(), status.innerText]; })
  .observe(status, {childList: true, characterData: true, subtree: true});
"""


def run(robots: int, rate_hz: float, count: int) -> dict[str, object]:
    """Milliseconds of both ways, of `count` each, and the page's share of a core."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="everpaw-")))
        broker = stack.enter_context(run_broker(kind="mosquitto"))
        address = stack.enter_context(dashboard(broker.port))
        page_pid = next(
            pid for pid in children() if b"dashboard" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        puppet = stack.enter_context(closing(Puppet(broker.port, folder / "memory")))
        came_s: list[float] = []
        bus = stack.enter_context(Bus("puppet", port=broker.port))
        bus.subscribe("cmnd/stop", lambda delivery: came_s.append(time.time()))
        page = stack.enter_context(browser(address))
        page.wait(lambda: answers(address))
        page.open()
        page.run(_NOTE)
        stack.enter_context(process("tests.fakes.herd", str(broker.port), str(robots), f"{rate_hz:g}"))
        time.sleep(SETTLE_S)
        begin_s, page_s = time.monotonic(), cpu_s(page_pid)
        stops, words = zip(*(_once(page, puppet, came_s) for _ in range(count)), strict=True)
        share = (cpu_s(page_pid) - page_s) / (time.monotonic() - begin_s)
        memory_mb = resident_mb(page_pid)
    return {
        "stop_ms": percentiles(list(stops)),
        "shown_ms": percentiles(list(words)),
        "page_core": round(share, 2),
        "page_mb": round(memory_mb),
    }


def _once(page: Browser, puppet: Puppet, came_s: list[float]) -> tuple[float, float]:
    """From the click to the robot, and from the robot's word to the page; then all as before."""
    puppet.tick()
    page.wait(lambda: page.see("status") == "Awake")
    known = len(came_s)
    page.do("stop")
    page.wait(lambda: len(came_s) > known)
    stop_ms = came_s[-1] * 1e3 - page.run("return window.clicked")
    told_ms = time.time() * 1e3
    puppet.body("FAULT", fault="stop")
    page.wait(lambda: page.run("return (window.shown || [])[1]") == "Stopped")
    shown_ms = page.run("return window.shown[0]") - told_ms
    puppet.body("ARMED")
    return stop_ms, shown_ms


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture.crowd", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--robots", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=10.0, help="messages a second and robot")
    parser.add_argument("--count", type=int, default=20, help="of clicks")
    args = parser.parse_args(argv)
    for name, figure in run(args.robots, args.rate, args.count).items():
        print(f"{name}: {figure}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
