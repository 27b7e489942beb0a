"""What the stages are built of, with the defaults set once."""
