"""The screen of one run: transcript, verdicts, timeline, details, comparison."""
