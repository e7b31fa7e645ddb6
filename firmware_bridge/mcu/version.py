"""Identity of these files.

Written by `python -m firmware_bridge.dictionary`; change its source instead.
"""

FIRMWARE_HASH = b"\x10\x72\xa1\xf4\xb0\x2c\xab\xe5"
