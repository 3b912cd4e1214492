"""One run: transcript, verdicts, timeline, details, comparison."""
