"""From an owner's recordings to the sounds of one animal: intake, denoising, calls, bank."""
