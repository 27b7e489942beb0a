"""The programs of this folder run in an environment of their own, so pytest does not import them."""

collect_ignore = ["with_tritonclient.py", "with_open_inference.py"]
