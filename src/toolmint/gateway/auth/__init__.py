"""Who may ask for what: keys, rates and budgets."""
