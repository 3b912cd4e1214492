"""httpx, which is imported here alone."""

import sys

# Its own command, for which it loads Rich and Pygments; it does without where that is not there.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

__all__ = ["httpx"]
