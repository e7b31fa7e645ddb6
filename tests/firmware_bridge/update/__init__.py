"""Updates: whole, attacked, interrupted."""
