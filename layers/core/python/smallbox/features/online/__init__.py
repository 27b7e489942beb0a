"""The online store: states of entities, kept up to date by the stream and rebuilt from the lake."""
