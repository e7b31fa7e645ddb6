"""The first install."""
