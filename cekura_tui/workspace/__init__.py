"""A signed-in session, the services of the session, and the background event loop on which the session runs."""
