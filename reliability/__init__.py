"""What the project promises when things go wrong, shown on real runs: `scripts/faults` and `scripts/load`."""
