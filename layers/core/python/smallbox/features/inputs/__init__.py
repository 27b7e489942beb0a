"""A model's inputs: what was sent, what the store adds, and what is computed on demand."""
