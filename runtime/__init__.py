"""The mind of the pet: everything that runs on the robot, offline."""

import os

__version__ = "0.1.0"

# Nothing leaves the house. From 1.29 on onnxruntime writes a device id and reports its use to its maker,
# unless this stands before it is first imported; its own `disable_telemetry_events` comes too late.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
