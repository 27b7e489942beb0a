"""AWS adapters of the ports, and settings. Only this package uses boto3, environment variables, clock or randomness."""
