"""Whether everything works here: the terminal, the files, the server, the versions; and a bundle for a bug report."""
