"""The command line, with one file per command group. Without a command, the program opens the app."""
