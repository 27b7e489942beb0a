"""Windows: aggregates of an entity's records over a span of time."""
