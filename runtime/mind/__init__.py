"""What was said, what it means, what to do and what to answer."""
