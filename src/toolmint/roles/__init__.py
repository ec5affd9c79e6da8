"""Prompts and parsers of every role as pure functions, shared by agent, training and maker."""
