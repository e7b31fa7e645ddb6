"""The first install on the robot's computer: look first, then files, units and the first release."""
