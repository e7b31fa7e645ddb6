"""The language model that words small talk."""
