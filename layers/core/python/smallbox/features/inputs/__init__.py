"""A model's inputs: request fields, stored features and on-demand features."""
