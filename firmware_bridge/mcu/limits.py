"""Limits of the body 'buddy'.

Written by `python -m firmware_bridge.dictionary`; change its source instead.
Hundredths of a degree; speed per tick, acceleration per tick squared.
"""

LIMITS_HASH = b"\xd5\xdf\xac\x4f\x34\x45\x7b\xcf"

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

# largest sum, then joint and weight of each term
RULES = (
    (8500, 4, 2, 5, -1, 0, -2),
    (8500, 6, 2, 7, -1, 2, -2),
    (21300, 8, 2, 9, -1, 0, 1),
    (21300, 8, -2, 9, -1, 2, 1),
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
