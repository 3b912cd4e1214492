"""The embedded Cekura server: a generated workspace that is spoken to over HTTP."""
