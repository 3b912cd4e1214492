"""Find the turns that a verdict cites, the likely reasons for a proposed change, and facts of a single call in it."""
