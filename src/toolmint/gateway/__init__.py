"""The gateway: an OpenAI-compatible server whose answers become cheaper, each with its proof."""
