"""Drills: a fault is injected on purpose, to see which incident opens after how long."""
