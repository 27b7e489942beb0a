"""Retraining: whether to train again, and why."""
