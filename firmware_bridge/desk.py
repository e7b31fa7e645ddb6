"""What can be said of a body at the desk, with no board there: `everpaw body clearance | gaits`."""

import argparse
import sys

from runtime.contracts.body import Body


def clearance(_args: argparse.Namespace, body: Body) -> int:
    """The least room between parts that limits and rules allow; 1 where two may meet."""
    from firmware_bridge.clearance import report  # numpy, which no other `everpaw body` needs

    lines, kept = report(body)
    print("\n".join(lines))
    return int(not kept)


def gaits(args: argparse.Namespace, body: Body) -> int:
    """Each gait of the pack against servos and floor; 1 where one breaks a rule."""
    from firmware_bridge import gait_report
    from firmware_bridge.skills import load_skills

    library = load_skills(args.pack / "skills", body)
    found = gait_report.lines(body, library)
    print("\n".join(gait_report.table(found)))
    if args.picture is not None:
        names = tuple(name for name in ("crawl", "trot") if name in library)
        gait_report.picture(body, library, names, args.picture)
        print(f"{args.picture}: footfall and margin of {' and '.join(names)}", file=sys.stderr)
    return int(any(row.wrong for row in found))
