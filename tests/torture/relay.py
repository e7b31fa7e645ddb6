"""A cable that can be pulled, with an ear on it: `python -m tests.torture.relay BOARD HOST [--tap FILE]`.

Copies bytes between the board's port and a pty of its own, named HOST; killed, that pty is gone, as after
unplugging. `--tap` appends what the host sent, hex, one line a read.
"""

import argparse
import os
import pty
import select
import tty
from pathlib import Path

from firmware_bridge.urgency import be_urgent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("board", type=Path)
    parser.add_argument("host", type=Path)
    parser.add_argument("--tap", type=Path)
    args = parser.parse_args()
    be_urgent()
    board = os.open(args.board, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(board)
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    fresh = args.host.with_name(f"{args.host.name}.{os.getpid()}")
    fresh.symlink_to(os.ttyname(slave))
    fresh.replace(args.host)
    with (args.tap or Path(os.devnull)).open("a", buffering=1) as tap:
        while True:
            for source in select.select([board, master], [], [])[0]:
                try:
                    data = os.read(source, 4096)
                    os.write(master if source == board else board, data)
                except BlockingIOError:
                    continue
                except OSError:  # the board is gone
                    return 0
                if source == master and args.tap:
                    print(data.hex(), file=tap)


if __name__ == "__main__":
    raise SystemExit(main())
