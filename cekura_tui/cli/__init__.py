"""The command line: one file a command group; it builds a workspace and hands it to the app, or prints."""
