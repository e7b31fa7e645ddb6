"""A noisy line: every reliable order arrives, no bad setpoint is ever applied.

`python -m tests.torture noise`: 50 setpoints a second for ten minutes of simulated time, at 0.1, 1 and 5 % of
bytes spoilt both ways.
"""

from functools import partial

from firmware_bridge.mcu import protocol as p
from firmware_bridge.sim import NoisyLine
from runtime.contracts.body import CDEG, load_body
from tests.firmware_bridge.board import Bench, bench
from tests.torture.ledger import Piece, Proof, Row, Verdict

RATES = (0.001, 0.01, 0.05)
ORDER_EVERY_TICKS = 50
MOST_WAIT_MS = 500
"""Of an order, at 1 % and below"""


def soak(rate: float, minutes: float, seed: int = 0) -> dict[str, float | int]:
    """Figures of one run; `wrong` counts applied setpoints that were never sent."""
    with bench(rate) as board:
        board.line = NoisyLine(rate, seed)
        board.run(300)
        sent = _watch(board)
        asked = answered = unanswered = 0
        waits_ms: list[float] = []
        rest = [joint.rest_deg for joint in load_body().joints]
        for tick in range(int(minutes * 6_000)):
            if tick % 2 == 0:
                swing = 10 * ((tick // 100) % 3 - 1)
                angles = [*rest[:-1], float(swing)]
                sent.add(tuple(round(angle * CDEG) for angle in angles))
                board.link.stream(angles, 120)
            if tick % ORDER_EVERY_TICKS == 0:
                asked += 1
                at_s = board.now_s
                kind = p.ARM if board.guard.state == p.DISARMED else p.HALT

                def heard(code: int | None, at_s: float = at_s) -> None:
                    nonlocal answered, unanswered
                    answered += code is not None
                    unanswered += code is None
                    waits_ms.append((board.now_s - at_s) * 1000)

                board.link.order(kind, heard)
            board.run()
        board.run(400)
        ordered = sorted(waits_ms)
        return {
            "rate": rate,
            "minutes": minutes,
            "orders": asked,
            "answered": answered,
            "unanswered": unanswered,
            "wait_p50_ms": round(ordered[len(ordered) // 2], 1),
            "wait_p99_ms": round(ordered[int(len(ordered) * 0.99)], 1),
            "wait_max_ms": round(ordered[-1], 1),
            "applied": board.applied,  # type: ignore[attr-defined]
            "wrong": board.wrong,  # type: ignore[attr-defined]
            "bad_frames": board.device.decoder.bad + board.link.counters.bad,
        }


def _watch(board: Bench) -> set[tuple[int, ...]]:
    """Between device and guard: every applied setpoint must be one that was sent."""
    sent: set[tuple[int, ...]] = set()
    board.applied = board.wrong = 0  # type: ignore[attr-defined]
    take = board.guard.setpoint

    def setpoint(angles: list[int], ttl_ms: int) -> bool:
        applied = take(angles, ttl_ms)
        board.applied += applied  # type: ignore[attr-defined]
        board.wrong += applied and (tuple(angles) not in sent or ttl_ms != 120)  # type: ignore[attr-defined]
        return bool(applied)

    board.guard.setpoint = setpoint
    return sent


def pieces(short: bool) -> list[Piece]:
    minutes, count = (0.2, 1) if short else (1.0, 10)
    return [
        Piece(f"{rate}/{number}", partial(soak, rate, minutes, number))
        for rate in RATES
        for number in range(count)
    ]


def judge(rows: list[Row]) -> Verdict:
    failed, words = 0, []
    for rate in RATES:
        found = [row for row in rows if row["rate"] == rate]
        if not found:
            continue
        wrong, lost, asked, applied = (
            sum(int(row[what]) for row in found) for what in ("wrong", "unanswered", "orders", "applied")
        )
        longest_ms = max(float(row["wait_max_ms"]) for row in found)
        failed += wrong + lost + int(rate <= 0.01 and longest_ms > MOST_WAIT_MS)
        minutes = sum(float(row["minutes"]) for row in found)
        words.append(
            f"{rate:.1%} for {minutes:g} min: {asked - lost}/{asked} orders, longest {longest_ms:g} ms,"
            f" {applied} setpoints, {wrong} wrong"
        )
    return Verdict(failed, "; ".join(words))


PROOF = Proof(
    "noise",
    "on a noisy line every order arrives and no bad setpoint is applied",
    (
        "firmware_bridge/mcu/[dfg]*.py",
        "firmware_bridge/mcu/protocol.py",
        "firmware_bridge/[cho]*.py",
        "firmware_bridge/link.py",
        "tests/torture/noise.py",
        "tests/firmware_bridge/board.py",
    ),
    pieces,
    judge,
)
