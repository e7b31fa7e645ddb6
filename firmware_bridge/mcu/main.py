"""Second to run on the board: the loop, unless boot.py found that the board is being looked after."""

if not globals().get("MAINTENANCE", False):
    import board
    from mcu.loop import Loop

    Loop(board.Board()).run()
