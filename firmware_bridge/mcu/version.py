"""Identity of these files.

Written by `python -m firmware_bridge.dictionary`; change its source instead.
"""

FIRMWARE_HASH = b"\x59\x42\x86\x9f\xde\x13\x92\xee"
