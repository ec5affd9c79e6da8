"""Snippets of the documentation; tests/test_docs.py runs them."""
