"""The steps of a clone, in the order in which they run; one row each."""

from training.clone.steps import Step

STEPS: tuple[Step, ...] = ()
