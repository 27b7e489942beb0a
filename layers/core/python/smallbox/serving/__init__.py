"""Serving: requests in, predictions out, logged with their features."""
