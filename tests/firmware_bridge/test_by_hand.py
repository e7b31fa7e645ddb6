"""Arming from a page: fresh and of this boot it is a command by hand, else it is dropped like one."""

import pytest

from firmware_bridge.by_hand import TTL_MS, command_of
from firmware_bridge.gatekeeper import Gatekeeper, Verdict
from runtime.bus import Delivery
from runtime.contracts.body import load_body
from runtime.contracts.errors import MessageError
from runtime.contracts.requests import HandRequest
from runtime.contracts.topics import encode


def judged(request: HandRequest, now_ms: int, retained: bool = False) -> Verdict:
    delivery = Delivery("rex", "request/arm", encode(request), retained, 1, False)
    gate = Gatekeeper("rex", "boot", load_body(), (), ())
    return gate.judge(*command_of(delivery), retained, now_ms)


def asked(**changes: object) -> HandRequest:
    return HandRequest.model_validate({"id": "a", "boot_id": "boot", "seen_mono_ms": 1_000, **changes})


def test_a_fresh_request_is_a_command_of_the_page() -> None:
    verdict = judged(asked(), 1_500)
    assert (verdict.act, verdict.status) == ("arm", "accepted")
    assert verdict.command is not None
    assert verdict.command.source == "page"


@pytest.mark.parametrize(
    ("request_", "now_ms", "status"),
    [
        (asked(), 1_001 + TTL_MS, "expired"),
        (asked(boot_id="other"), 1_500, "rejected"),
        (asked(seen_mono_ms=9_000), 1_500, "rejected"),
    ],
)
def test_an_old_or_foreign_request_arms_nothing(request_: HandRequest, now_ms: int, status: str) -> None:
    assert judged(request_, now_ms).status == status


def test_a_retained_one_is_dropped_and_mind_and_voice_cannot_ask() -> None:
    assert judged(asked(), 1_500, retained=True).status == "rejected"
    with pytest.raises(MessageError):
        command_of(Delivery("rex", "request/arm", b'{"id": "a", "source": "mind"}', False, 1, False))
