"""A DynamoDB client for the reads of a prediction: signed requests on one connection that stays open."""
