"""The steps of a clone, in the order in which they run; one row each."""

from training.clone.looks import recipe as looks
from training.clone.persona import step as persona
from training.clone.steps import Step
from training.clone.voice import step as voice

STEPS: tuple[Step, ...] = (*looks.STEPS, voice.STEP, persona.STEP)
