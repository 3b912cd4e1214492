"""One public widget a file; they render and post messages, they never fetch."""
