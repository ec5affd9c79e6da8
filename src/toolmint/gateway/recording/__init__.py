"""What is written of each request, so that nothing paid is lost."""
