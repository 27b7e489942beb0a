"""Monitoring: data, features, predictions and accuracy, by event day."""
