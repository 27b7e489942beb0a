"""The ways that benchmarks/serving compares, each in a process of its own, and the AWS that answers them."""
