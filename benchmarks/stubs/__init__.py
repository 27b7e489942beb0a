"""What benchmarks put in the place of AWS, at the transport."""
