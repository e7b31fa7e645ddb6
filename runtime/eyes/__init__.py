"""Looking at robots from outside, over MQTT alone: one watcher for dashboard, metrics and other houses."""
