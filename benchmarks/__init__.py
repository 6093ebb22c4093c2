"""What the site takes, as ratios: one command each, `python -m benchmarks.<name>`; `make bench` runs them all."""
