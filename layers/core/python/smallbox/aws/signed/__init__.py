"""Lightweight AWS clients for predictions: signed requests on one keep-alive connection to each service."""
