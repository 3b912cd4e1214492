"""The run list and the dialogs opened from it."""
