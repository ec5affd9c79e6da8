"""Runs model-written code: a fork server that confines itself, its guest, and its self-check."""
