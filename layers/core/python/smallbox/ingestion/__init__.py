"""Ingestion: validates incoming data against its source's contract, and writes the records to the lake."""
