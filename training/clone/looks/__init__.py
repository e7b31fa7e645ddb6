"""From an owner's photos to an animal that turns: intake, masks, shape, colours, rig."""
