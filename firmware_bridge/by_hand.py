"""Arm, disarm and clear, as a page asks for them: a request made into the command that the gatekeeper judges.

The asker has no stamp of its own: the command counts as issued when the asker last heard `state/clock`, so an
old, foreign or repeated request is dropped like an old, foreign or repeated command.
"""

from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.contracts.requests import HandRequest
from runtime.contracts.topics import PREFIX, decode, encode

NAMES = ("request/arm", "request/disarm", "request/clear")
_MODELS: dict[str, type[m.Command]] = {
    "arm": m.ArmCommand,
    "disarm": m.DisarmCommand,
    "clear": m.ClearCommand,
}
TTL_MS = 5_000
"""From the clock's second to the press of the button and through the network"""


def command_of(delivery: Delivery) -> tuple[str, bytes]:
    """(topic, payload) of the command; MessageError where the request is none."""
    act = delivery.name.partition("/")[2]
    asked = decode(HandRequest, delivery.payload)
    command = _MODELS[act](
        id=asked.id,
        boot_id=asked.boot_id,
        issued_at_ms=asked.seen_mono_ms,
        ttl_ms=TTL_MS,
        source=asked.source,
    )
    return f"{PREFIX}/{delivery.robot_id}/cmnd/{act}", encode(command)
