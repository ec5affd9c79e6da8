"""The agent: who speaks (policy), how it searches (ReACT, DFSDT), and what it may spend."""
