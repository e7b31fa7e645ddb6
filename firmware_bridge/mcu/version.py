"""Identity of these files.

Written by `python -m firmware_bridge.dictionary`; change its source instead.
"""

FIRMWARE_HASH = b"\x5b\xb2\x43\x7b\x39\x2a\x86\xe6"
