"""The functional cache: which class a request is of, which tier may answer it, and the bill."""
