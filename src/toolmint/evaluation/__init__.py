"""Evaluation: benchmarks, the one runner for all of them, reports with intervals, comparisons."""
