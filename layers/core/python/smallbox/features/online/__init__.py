"""Online states of entities: updated by the stream, rebuilt from the lake."""
