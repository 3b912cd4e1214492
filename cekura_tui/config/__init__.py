"""Paths, settings and credentials."""
