"""Two prompts compared as prose, staged change by change, merged, patched. Knows nothing of Cekura."""
