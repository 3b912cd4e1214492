"""Runs: outcomes, verdicts, details and run lists."""
