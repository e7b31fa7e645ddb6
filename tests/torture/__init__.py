"""The long proofs: `make torture` runs them in full, the tests a short form of each."""
