"""Attributes: an entity's latest field values as of a moment (slowly changing facts)."""
