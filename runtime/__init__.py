"""The mind of the pet: everything that runs on the robot, offline."""

__version__ = "0.1.0"
