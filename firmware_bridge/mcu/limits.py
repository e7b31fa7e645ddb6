"""Limits of the body 'buddy'.

Written by `python -m firmware_bridge.dictionary`; change its source instead.
Hundredths of a degree; speed per tick, acceleration per tick squared.
"""

LIMITS_HASH = b"\x61\xa3\xe5\xa2\x7c\x79\x0e\x9c"

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
