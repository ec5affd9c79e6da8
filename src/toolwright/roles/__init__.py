"""Pure prompts and parsers of every role, shared by all that speaks with a model."""
