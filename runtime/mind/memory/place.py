"""Where a robot's memory lies, and the memory that its settings describe."""

from pathlib import Path

from runtime.contracts.config import RobotConfig
from runtime.data_folder import data_folder
from runtime.mind.memory.memory import Memory


def folder_of(config: RobotConfig) -> Path:
    """The folder that the settings name, or the robot's own below the user's data."""
    if config.memory.path is not None:
        return config.memory.path
    return data_folder(config.robot_id) / "memory"


def memory_of(config: RobotConfig) -> Memory:
    """Nothing is opened or made before it is needed."""
    return Memory(folder_of(config), enabled=config.memory.enabled, max_facts=config.memory.max_facts)
