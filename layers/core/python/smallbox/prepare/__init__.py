"""Preparation: the pipeline steps before the classifier, each with its converter to ONNX."""
