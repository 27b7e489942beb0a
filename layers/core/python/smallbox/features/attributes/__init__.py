"""Attributes: facts of an entity as they stood at a moment."""
