"""A suggestion: the diff, the staged text, and how it reaches the agent."""
