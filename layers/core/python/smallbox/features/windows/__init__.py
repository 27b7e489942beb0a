"""Windowed aggregates of an entity's records, such as a count over the last seven days."""
