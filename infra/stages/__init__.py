"""One construct per stage: its functions and their triggers."""
