"""Release: who serves, and how that changes."""
