"""Terminal input and output that Textual does not handle."""
