"""What measured units cost in dollars."""
