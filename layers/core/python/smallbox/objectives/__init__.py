"""Objectives: what a kind of label is judged by."""
