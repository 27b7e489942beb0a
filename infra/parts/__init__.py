"""Reusable constructs of the stages, which set the defaults in one place."""
