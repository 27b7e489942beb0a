"""What people read about the system: its models, versions, history, reports and status."""
