"""The ``smallbox`` command, for a laptop: the local stack, and what one does with any stack."""
