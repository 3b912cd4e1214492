"""The run list, and what opens from it."""
