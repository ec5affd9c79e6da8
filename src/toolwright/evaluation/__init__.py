"""Measures: what tools answer, how rightly, at what cost, beside what the papers report."""
