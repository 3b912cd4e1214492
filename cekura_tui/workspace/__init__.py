"""Everything that one signed-in session uses, built in one place, and the background loop it lives on."""
