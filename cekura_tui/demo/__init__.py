"""The embedded Cekura server with its own corpus."""
