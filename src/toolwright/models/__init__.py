"""Things that answer a prompt: endpoints, tapes, scripts, and wrappers around them."""
