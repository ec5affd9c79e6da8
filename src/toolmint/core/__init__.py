"""Values, messages and protocols that everything else is built on."""
