"""From an owner's notes to a persona card: facts with their sources, style numbers, quirks."""
