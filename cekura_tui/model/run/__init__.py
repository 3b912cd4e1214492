"""A run: what was called, how it ended, how it was judged, and lists of runs."""
