"""What every fine-tuning recipe shares: settings, examples, the trainer with its switches, the report."""
