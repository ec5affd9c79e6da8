"""Things that answer a prompt: endpoints, local decoders, cassettes, scripts, and wrappers."""
