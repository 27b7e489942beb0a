"""Registry: the model store and its gate."""
