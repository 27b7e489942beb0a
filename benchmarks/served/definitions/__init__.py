"""The definitions that benchmarks/serving serves; they stand in for those of the project."""
