"""The demonstration: a year of flights replayed through the running system."""
