"""CRC-32 as binascii has it, for a MicroPython without; flashed as binascii.py."""


def crc32(data: bytes, start: int = 0) -> int:
    crc = start ^ 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
