"""Feature views: one definition, computed online from the stream and in batch from the lake, with equal values."""
