"""The transcript of a run: turns, tool calls, timeline and search."""
