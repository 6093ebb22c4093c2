"""Fraud under pressure: bursts noticed and held, clusters for staff, what is done with them, and undone exactly."""
