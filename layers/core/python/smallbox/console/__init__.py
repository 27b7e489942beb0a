"""Read-only views of the system for people: models, versions, history, reports and status."""
