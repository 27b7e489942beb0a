"""Training: a point-in-time dataset to a candidate, exported and measured."""
