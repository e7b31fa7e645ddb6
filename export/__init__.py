"""From checkpoint to robot: what was trained becomes a pack."""
