"""Statistics of numbers, with no knowledge of models or tables: estimates and their standard errors."""
