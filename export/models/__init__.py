"""From a checkpoint to the file a robot runs: exported, made smaller, proved the same."""
