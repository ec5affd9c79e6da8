"""Programs of our own that run inside the sandbox, because they read model-written code."""
