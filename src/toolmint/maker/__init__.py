"""Makes tools: propose, verify in numbered stages, wrap."""
