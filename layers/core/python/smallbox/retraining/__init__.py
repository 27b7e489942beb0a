"""Retraining: decides whether to train again, and why."""
