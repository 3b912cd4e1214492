"""The Cekura API: one request function, one short method an operation."""
