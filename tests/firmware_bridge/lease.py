"""A mind that only renews its lease: `python -m tests.firmware_bridge.lease HOST:PORT BOOT_ID [AHEAD_MS]`.

AHEAD_MS is how far the robot's clock is ahead of ours, where it is another one.
"""

import sys
import time
import uuid

from firmware_bridge.urgency import be_urgent
from runtime.bus import Bus
from runtime.contracts.messages import LeaseCommand

be_urgent()
host, _, port = sys.argv[1].partition(":")
ahead_ms = int(sys.argv[3]) if len(sys.argv) > 3 else 0
with Bus("rex", host, int(port)) as bus:
    while True:
        now_ms = time.monotonic_ns() // 1_000_000 + ahead_ms
        lease = LeaseCommand(
            id=uuid.uuid4().hex, boot_id=sys.argv[2], issued_at_ms=now_ms, ttl_ms=250, source="mind"
        )
        bus.publish("cmnd/lease", lease)
        print("renewed", flush=True)
        time.sleep(0.1)
