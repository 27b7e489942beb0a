"""The documents that the steps of a state machine pass on, typed: each step adds its own keys."""
