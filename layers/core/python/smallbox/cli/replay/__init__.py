"""A replay: the past of somebody's data, sent through the running system in the order in which it became known."""
