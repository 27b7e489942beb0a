"""The tables of the lake: their catalogue, their columns, and which version of a record counts when."""
