"""Which turns a verdict speaks of, why a change was proposed, and what speaks of one call alone."""
