"""The owner's page: live twin, status, commands, talk, charts, events, memory, privacy, fleet."""
