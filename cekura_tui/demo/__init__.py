"""The demo server: a generated workspace behind the API's own HTTP operations."""
