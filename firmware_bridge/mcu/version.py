"""Identity of these files.

Written by `python -m firmware_bridge.dictionary`; change its source instead.
"""

FIRMWARE_HASH = b"\x69\xd1\xc8\x32\xb7\xc3\xb4\x50"
