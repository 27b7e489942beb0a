"""Objectives: what a kind of label means, from its field to the loss that every decision compares."""
