"""The transcript of a run: its turns, its tool calls, when who spoke, and words sought in it."""
