"""Objectives: the metrics of each kind of label. There is one kind: boolean."""
