"""How full a battery at rest is, from its voltage."""

from bisect import bisect_right

CELL_CUT_MV = 3_100
"""An empty Li-ion cell; the body's `supply_cut_mv` is a multiple of it"""
_MV = (3_270, 3_610, 3_690, 3_710, 3_730, 3_750, 3_770, 3_790, 3_820, 3_870, 3_950, 4_020, 4_110, 4_200)
_PERCENT = (0, 5, 10, 15, 20, 25, 30, 35, 45, 60, 70, 80, 90, 100)
"""A Li-ion cell without load, as commonly tabulated; under load it reads lower, on the safe side"""


def cells(supply_cut_mv: int) -> int:
    """Cells in series of a body that cuts off there."""
    return max(1, round(supply_cut_mv / CELL_CUT_MV))


def charge_percent(cell_mv: float) -> int:
    """Percent of one cell's charge, between the rows of the table in a straight line."""
    row = bisect_right(_MV, cell_mv)
    if row == 0:
        return 0
    if row == len(_MV):
        return 100
    (low, high), (from_, to) = _MV[row - 1 : row + 1], _PERCENT[row - 1 : row + 1]
    return int(from_ + (to - from_) * (cell_mv - low) / (high - low))
