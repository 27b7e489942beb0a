"""Labels: late outcomes joined to the requests that they belong to."""
