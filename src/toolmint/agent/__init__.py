"""The agent: a policy of roles, a search (ReACT, DFSDT) and the budget of a run."""
