"""What makes a pet this one and no other, in one sealed file: it moves to another body and comes back."""
