"""Limits of the body 'buddy'.

Written by `python -m firmware_bridge.dictionary`; change its source instead.
Hundredths of a degree; speed per tick, acceleration per tick squared.
"""

LIMITS_HASH = b"\xeb\x26\x8c\xbd\x01\x28\x5a\x4f"

# min, max, safe, speed, acceleration
JOINTS = (
    (-8000, 9000, 6000, 360, 60),  # front_left_hip
    (-1000, 13500, 12000, 360, 60),  # front_left_knee
    (-8000, 9000, 6000, 360, 60),  # front_right_hip
    (-1000, 13500, 12000, 360, 60),  # front_right_knee
    (-8000, 9000, 6000, 360, 60),  # rear_left_hip
    (-1000, 13500, 12000, 360, 60),  # rear_left_knee
    (-8000, 9000, 6000, 360, 60),  # rear_right_hip
    (-1000, 13500, 12000, 360, 60),  # rear_right_knee
    (-8000, 8000, 0, 240, 30),  # head_pan
    (-4500, 6000, -1000, 240, 30),  # head_tilt
    (-7000, 7000, 0, 500, 90),  # tail
)

# first, sign, second, sign, largest sum
RULES = (
    (4, 1, 0, -1, 7500),
    (6, 1, 2, -1, 7500),
    (8, 1, 9, -1, 10500),
    (8, -1, 9, -1, 10500),
)

SUPPLY_CUT_MV = 6200
SUPPLY_LOW_MV = 6600
SUPPLY_OK_MV = 7000
TEMPERATURE_CUT_C = 65
TEMPERATURE_OK_C = 50
TILT_DEG = 55
STALL_CDEG = 2000
STALL_TICKS = 40
FALLING_POSE = (5000, 11000, 5000, 11000, 5000, 11000, 5000, 11000, 0, 2000, 0)
LOW_BATTERY_POSE = (6000, 12000, 6000, 12000, 6000, 12000, 6000, 12000, 0, -2000, 0)
