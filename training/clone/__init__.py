"""Photos, recordings and notes of one animal become its twin."""
