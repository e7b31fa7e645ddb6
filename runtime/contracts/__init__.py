"""What the parts of everpaw promise one another: messages, topics, audio, body, pack, config, errors."""
