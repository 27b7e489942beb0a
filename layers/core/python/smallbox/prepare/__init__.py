"""Preparation: what a pipeline does to its inputs before the classifier, each step with its conversion to ONNX."""
