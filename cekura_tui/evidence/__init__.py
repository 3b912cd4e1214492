"""Find the turns that a verdict cites, likely reasons for a proposed change, and facts of single calls in a change."""
