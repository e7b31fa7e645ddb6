"""Wake and stop heads, from a typed name alone."""
