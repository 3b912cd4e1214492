"""The command line, one file per command group: opens the app on a workspace, or prints."""
