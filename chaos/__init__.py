"""Faults on purpose: each module breaks one thing under the running site, as `make chaos` does."""
