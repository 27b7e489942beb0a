"""The ``smallbox`` command line: starts the local stack, and operates a running stack."""
