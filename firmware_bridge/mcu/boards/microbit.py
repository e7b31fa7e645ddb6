"""A board of the link alone, flashed as link.py on an emulated micro:bit: greets, proves, never arms.

Its 16 KiB hold the frames but not the guard, so it says that it has no joints, and no bridge arms it. All
stands in one block: the board's stack is 2 KiB, and every call takes its share.
"""

import struct

import micropython
import protocol as p
from frames import WIRE_MAX, Decoder, encode, proof
from microbit import reset, running_time, uart

MARK = "maintenance"
NOTHING = b"\0" * 8
"""No limits, no guard"""

micropython.kbd_intr(-1)
running = True
decoder, out, session = Decoder(), bytearray(WIRE_MAX), -1
boot_id = running_time() % 65535 + 1
while running:
    for byte in (uart.read(16) or b"") if uart.any() else b"":
        if not decoder.feed(byte):
            continue
        asked, payload = decoder.kind, decoder.payload
        if asked == p.HELLO_ASK:
            session = payload[0] | payload[1] << 8
            who = (session, p.VERSION, p.FIRMWARE, NOTHING, p.DICTIONARY_HASH, NOTHING, 0, p.TICK_MS, 0)
            answer, kind = struct.pack(p.HELLO_FORMAT, *who), p.HELLO
        elif asked == p.PING and session >= 0:
            challenge = payload[0] | payload[1] << 8 | payload[2] << 16 | payload[3] << 24
            tick = running_time() // p.TICK_MS
            answer, kind = struct.pack(p.PONG_FORMAT, proof(challenge, session, boot_id), tick), p.PONG
        else:
            running = asked != p.LEAVE
            code = p.OK if asked in (p.LEAVE, p.STOP) else p.WRONG_STATE
            answer, kind = struct.pack(p.RESULT_FORMAT, asked, code, p.DISARMED), p.RESULT
        uart.write(bytes(out[: encode(out, kind, 0, boot_id, decoder.seq, answer)]))
        if not running:
            with open(MARK, "w") as file:
                file.write("1")
            reset()
