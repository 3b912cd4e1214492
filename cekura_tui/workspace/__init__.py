"""All objects that one signed-in session uses, built in one place, and its background event loop."""
