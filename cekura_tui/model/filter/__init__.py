"""The run filter: parse, complete and match it, and split off the server's part."""
