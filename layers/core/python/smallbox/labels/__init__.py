"""Labels (ground truth): outcomes that arrive late, joined to their requests."""
