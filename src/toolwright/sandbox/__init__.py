"""Where model-written code runs: a self-confining fork server, its guest, and its self-check."""
