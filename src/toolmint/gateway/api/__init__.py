"""What clients ask: each endpoint's requests and answers."""
