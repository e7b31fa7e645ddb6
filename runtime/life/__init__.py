"""What the pet does of its own will between orders: drives, acts, the choice among them, and its days."""
