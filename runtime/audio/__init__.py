"""Sound in and out: capture, wake, stop, turns, playback."""
