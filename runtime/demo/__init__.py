"""A whole conversation on one machine: a scripted owner, the real robot software, a simulated body."""
