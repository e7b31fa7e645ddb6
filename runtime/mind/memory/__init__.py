"""What the pet knows of its people: told by them, kept with their consent, sealed, forgotten for good."""
