"""Feedback: late labels to the predictions that they belong to."""
