"""A signed-in session, everything it uses, and the background event loop that it runs on."""
