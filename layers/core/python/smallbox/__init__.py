"""Smallbox: everything around the model in a machine-learning system, on serverless AWS primitives."""

__version__ = "0.1.0"
