"""Answers in the manner of the API: JSON, errors by field, pages of a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cekura_tui.demo.body import Unsupported
from cekura_tui.demo.query import Invalid, number

LARGEST_PAGE = 100


class Reply(JSONResponse):
    """JSON in UTF-8; a text with lone surrogates, which UTF-8 cannot hold, is escaped."""

    def render(self, content: Any) -> bytes:
        try:
            return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        except UnicodeEncodeError:
            return json.dumps(content, separators=(",", ":")).encode("ascii")


def detail(status: int, text: str) -> Reply:
    return Reply({"detail": text}, status)


def not_found() -> Reply:
    return detail(404, "Not found.")


def paged(request: Request, found: Sequence[int], render: Callable[[int], object]) -> Reply:
    """One page of a list of ids; only the rows on it are rendered."""
    size = max(1, min(LARGEST_PAGE, number(request.query_params, "page_size") or 10))
    last = max(1, -(-len(found) // size))
    wanted = request.query_params.get("page", "1")
    page = last if wanted == "last" else int(wanted) if wanted.isdecimal() else 0
    if not 1 <= page <= last:
        return detail(404, "Invalid page.")
    return Reply(
        {
            "count": len(found),
            "next": str(request.url.include_query_params(page=page + 1)) if page < last else None,
            "previous": str(request.url.include_query_params(page=page - 1)) if page > 1 else None,
            "results": [render(item) for item in found[(page - 1) * size : page * size]],
        }
    )


async def invalid_reply(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)
    return Reply(error.errors, 400)


async def unsupported_reply(_request: Request, error: Exception) -> Response:
    return detail(415, f'Unsupported media type "{error}" in request.')


async def http_reply(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return detail(405, f'Method "{request.method}" not allowed.')
    return not_found() if error.status_code == 404 else detail(error.status_code, error.detail)


HANDLERS = {Invalid: invalid_reply, Unsupported: unsupported_reply, HTTPException: http_reply}
