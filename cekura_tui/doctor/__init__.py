"""Check the terminal, the files, the server and the versions; write a bundle for a bug report."""
