"""What board and bridge must agree on before arming: dictionary, limits, and a pack's narrower ones."""

from collections.abc import Callable

from firmware_bridge import codec
from firmware_bridge.dictionary import guard_rows, joint_row
from firmware_bridge.mcu import protocol as p
from runtime.contracts.body import Body

Order = Callable[[int, Callable[[int | None], None], bytes], None]


class Agreement:
    """`settled` once HELLO was compared and the board took every narrower limit of `narrowed`."""

    def __init__(self, body: Body, narrowed: Body | None = None) -> None:
        self.limits = bytes.fromhex(body.limits_hash)
        self.mismatch = ""
        """Why the board may not be armed, and which side to flash; empty where all agrees"""
        self._body = body
        self._orders = tightenings(body, narrowed or body)
        self._left: list[bytes] = []
        self._compared = False

    @property
    def settled(self) -> bool:
        return self._compared and not self.mismatch and not self._left

    def forget(self) -> None:
        """A new session: the board is back at its own limits."""
        self.mismatch = ""
        self._left = []
        self._compared = False

    def compare(self, hello: codec.Hello) -> None:
        self.mismatch = mismatch(hello, self._body)
        self._compared = True
        self._left = [] if self.mismatch else list(self._orders)

    def enforce(self, order: Order) -> None:
        """Tell the board the first narrower limit that it has not taken yet; call again until settled."""
        if not self._left or self.mismatch:
            return

        def answered(code: int | None) -> None:
            if code == p.OK:
                self._left.pop(0)
            elif code == p.REFUSED:
                self.mismatch = "the board refuses the pack's narrower limits; check its limits.toml"

        order(p.TIGHTEN, answered, self._left[0])


def tightenings(body: Body, narrowed: Body) -> list[bytes]:
    """TIGHTEN payloads for the joints whose limits `narrowed` has narrower."""
    rows, wanted = (guard_rows(each, p.TICK_MS)[0] for each in (body, narrowed))
    return [
        codec.tighten(number, joint_row(row))
        for number, (row, before) in enumerate(zip(wanted, rows, strict=True))
        if row != before
    ]


def mismatch(hello: codec.Hello, body: Body) -> str:
    """Why board and bridge must not work together, and which side to flash; empty where they may."""
    if hello.protocol != p.VERSION or hello.dictionary != p.DICTIONARY_HASH:
        what = f"protocol {hello.protocol}, dictionary {hello.dictionary.hex()}"
        ours = f"protocol {p.VERSION}, dictionary {p.DICTIONARY_HASH.hex()}"
        older = hello.protocol < p.VERSION or hello.firmware <= p.FIRMWARE
        cure = "flash the board: everpaw flash board auto" if older else "update everpaw on this computer"
        return f"the board speaks {what}, the bridge {ours}; not arming: {cure}"
    if not hello.joints:
        return "the board has no joints: it shows that flashing works, and moves no body; not arming"
    if hello.limits.hex() != body.limits_hash or hello.joints != len(body.joints):
        return (
            f"the board was flashed for limits {hello.limits.hex()}, body {body.name!r} needs"
            f" {body.limits_hash}; not arming: flash the board: everpaw flash board auto"
        )
    return ""
