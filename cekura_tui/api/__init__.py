"""The Cekura API: one request function, one short method an operation."""

import sys

# The command that httpx has: it imports Rich and Pygments for it, and does without where it is not there.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
