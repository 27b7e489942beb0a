"""From what a sender sends to records that keep their source's contract, and to rows of the lake."""
