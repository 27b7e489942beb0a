"""Training: builds a point-in-time dataset, fits a candidate on it, exports it to ONNX and measures it."""
