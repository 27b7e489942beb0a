"""A lightweight DynamoDB read client for predictions: signed requests on one keep-alive connection."""
