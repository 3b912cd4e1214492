"""Run filters: parse and complete them, match rows, and make the server's query parameters."""
