"""Settings and composition: the only package that names adapters."""
