"""One construct for each stage: its functions and what triggers them."""
