"""The school: recipes that turn recordings and texts into measured checkpoints."""
