"""Where tools, the queue, the ledger, requests and trajectories are kept: SQLite or PostgreSQL."""
