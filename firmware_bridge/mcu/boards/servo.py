"""How a joint's angle becomes a servo's: sign and zero of each joint, and the trim found by calibration.

Angles are hundredths of a degree. A servo turns 180 degrees between 500 and 2500 microseconds.
"""

try:
    from trims import TRIMS
except ImportError:
    TRIMS = ()

CENTRE_US, LEAST_US, MOST_US = 1500, 500, 2500
MOST_TRIM = 2000


class Mounting:
    """`rows`: (channel or servo id, sign, angle at the servo's centre), one a joint in the body's order."""

    def __init__(self, rows: tuple, trims: tuple = TRIMS) -> None:
        for trim in trims:
            if abs(trim) > MOST_TRIM:
                raise ValueError(f"a trim of {trim} is more than 20 degrees; calibrate again")
        self.rows = rows
        self.trims = trims if len(trims) == len(rows) else (0,) * len(rows)

    def turned(self, joint: int, cdeg: int) -> int:
        """Hundredths of a degree away from the servo's own centre."""
        _, sign, centre = self.rows[joint]
        return sign * (cdeg + self.trims[joint] - centre)

    def angle(self, joint: int, turned: int) -> int:
        """The joint's angle of a servo that is `turned` away from its centre."""
        _, sign, centre = self.rows[joint]
        return sign * turned + centre - self.trims[joint]

    def pulse_us(self, joint: int, cdeg: int) -> int:
        return min(max(CENTRE_US + self.turned(joint, cdeg) // 9, LEAST_US), MOST_US)


MOUNTED = (
    (0, 1, 500),
    (1, 1, 6000),
    (2, -1, 500),
    (3, -1, 6000),
    (4, 1, 500),
    (5, 1, 6000),
    (6, -1, 500),
    (7, -1, 6000),
    (8, 1, 0),
    (9, 1, 1000),
    (10, 1, 0),
)
"""Buddy: the right side's servos look the other way"""
