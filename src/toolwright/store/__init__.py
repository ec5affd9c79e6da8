"""Where made tools, their counts, the queue and the ledger are kept."""
