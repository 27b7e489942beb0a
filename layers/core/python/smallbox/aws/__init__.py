"""The only home of boto3, the environment, the clock and randomness: settings, adapters, wiring."""
