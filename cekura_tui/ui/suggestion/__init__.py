"""The screens of a suggestion: diff, staged text, and ways to copy, save or apply it."""
