"""What can be said of a body at the desk, with no board there: `everpaw body clearance`."""

import argparse

from runtime.contracts.body import Body


def clearance(_args: argparse.Namespace, body: Body) -> int:
    """The least room between parts that limits and rules allow; 1 where two may meet."""
    from firmware_bridge.clearance import report  # numpy, which no other `everpaw body` needs

    lines, kept = report(body)
    print("\n".join(lines))
    return int(not kept)
