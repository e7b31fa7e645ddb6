"""What is kept of people, by whose consent, for how long; all of it shown, taken along and erased."""
