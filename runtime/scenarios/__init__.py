"""Conversations as data: what is said to the pet, and what must and must never come of it."""
