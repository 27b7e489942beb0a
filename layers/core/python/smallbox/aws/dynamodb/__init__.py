"""A lightweight DynamoDB client for predictions and the stream: signed requests on one keep-alive connection."""
