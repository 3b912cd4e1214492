"""The filter of a run list: read, completed, matched here or left to the server."""
