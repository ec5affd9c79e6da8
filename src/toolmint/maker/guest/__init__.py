"""This package's own programs that run inside the sandbox, because they read model-written code."""
