"""Is our firmware already running there? Say HELLO; and ask it out of its loop, which hears no interrupt."""

import secrets
import time
from collections.abc import Callable

from firmware_bridge import codec
from firmware_bridge.mcu import protocol as p
from firmware_bridge.port import Port

ASK_S = 0.1


def greet(port: Port, timeout_s: float) -> codec.Hello | None:
    """The board's HELLO; None where none came, because another program or none runs there."""
    session = secrets.randbelow(0xFFFF) + 1
    ask = codec.frame_bytes(p.HELLO_ASK, 1, 0, codec.hello_ask(session, bytes(8)))
    found = _exchange(port, ask, timeout_s, lambda m: isinstance(m, codec.Hello) and m.session == session)
    return found if isinstance(found, codec.Hello) else None


def leave(port: Port, hello: codec.Hello, timeout_s: float) -> bool:
    """Ask the firmware out of its loop; False where it does not, because there is torque on the servos."""
    order = codec.frame_bytes(p.LEAVE, 2, hello.boot_id)
    found = _exchange(port, order, timeout_s, lambda m: isinstance(m, codec.Result) and m.request == p.LEAVE)
    return isinstance(found, codec.Result) and found.code == p.OK


def _exchange(
    port: Port, frame: bytes, timeout_s: float, fits: Callable[[codec.Received], bool]
) -> codec.Received | None:
    reader = codec.FrameReader()
    give_up_s, next_s = time.monotonic() + timeout_s, 0.0
    while time.monotonic() < give_up_s:
        if time.monotonic() >= next_s:
            port.write(frame)
            next_s = time.monotonic() + ASK_S * 4
        for got in reader.feed(port.read()):
            message = codec.read_message(got)
            if message is not None and fits(message):
                return message
        time.sleep(0.005)
    return None
