"""The strong model's endpoint: connections, pass-through, streams."""
