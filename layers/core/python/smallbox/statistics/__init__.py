"""Statistics: estimates, standard errors and tests. Nothing here knows models or tables."""
