"""`everpaw flash`: put the firmware on a board, see that it is there to the last byte, and hear its HELLO."""
