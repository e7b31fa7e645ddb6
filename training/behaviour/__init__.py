"""Words to intent: the starter's small classifier, and any encoder as one."""
