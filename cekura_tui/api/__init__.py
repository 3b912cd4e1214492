"""The Cekura API: its client, its answers and its errors."""
