"""httpx, which is imported here alone."""

import sys

# Its own command, for which it loads Rich and Pygments; it does without where that is not there.
_hidden = "httpx._main" not in sys.modules
if _hidden:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]

import httpx  # noqa: E402

if _hidden:
    del sys.modules["httpx._main"]  # who wants that command can import it

__all__ = ["httpx"]
