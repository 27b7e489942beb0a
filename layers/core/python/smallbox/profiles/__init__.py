"""Profiles: what the rows of an hour look like, in a few kilobytes that can be added up without reading a row."""
