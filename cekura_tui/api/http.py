"""Import httpx without its command line, which would load Rich and Pygments. Other modules import httpx from here."""

import sys

# httpx works without its command line if `httpx._main` can't be imported.
_hidden = "httpx._main" not in sys.modules
if _hidden:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]

import httpx  # noqa: E402

if _hidden:
    del sys.modules["httpx._main"]  # other code may still import it

__all__ = ["httpx"]
