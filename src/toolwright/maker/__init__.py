"""How tools come to be: propose, verify, wrap, and the gate that each one has to pass."""
