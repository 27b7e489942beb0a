"""Windowed features: one definition, computed as a stream and as a batch, with equal values."""
