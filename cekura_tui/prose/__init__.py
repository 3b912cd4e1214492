"""Compare, stage, merge and patch prompts as prose. Knows nothing of Cekura."""
