"""The mind of the pet: everything that runs on the robot, offline."""
