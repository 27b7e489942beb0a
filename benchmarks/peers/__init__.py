"""The engines that benchmarks/point_in_time.py compares: each answers the same questions from the same files."""
