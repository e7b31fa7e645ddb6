"""Identity of these files.

Written by `python -m firmware_bridge.dictionary`; change its source instead.
"""

FIRMWARE_HASH = b"\x49\xf4\xdd\x2f\x9e\x28\xfd\xd0"
