"""Other voice stacks: ours offered to them, theirs used by us."""
