"""Requests as curl commands, to be run in a shell that has the key in CEKURA_API_KEY; the key itself is in none."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlencode

from cekura_tui.model.job import Draft

LAUNCH_PATH = "/test_framework/v1/runs/improve_prompt_bg/"
PROGRESS_PATH = "/test_framework/v1/runs/improve_prompt_progress/"
_KEY = '-H "X-CEKURA-API-KEY: $CEKURA_API_KEY"'


def launch_command(base: str, draft: Draft) -> str:
    """The launch of a job, prompt and all. Running it launches another one."""
    url, body = shlex.quote(f"{base}{LAUNCH_PATH}"), shlex.quote(json.dumps(draft.body()))
    return f"curl -X POST {url} {_KEY} -H 'Content-Type: application/json' --data {body}"


def progress_command(base: str, progress_id: str) -> str:
    """The question how far a job is."""
    url = f"{base}{PROGRESS_PATH}?" + urlencode({"progress_id": progress_id})
    return f"curl {shlex.quote(url)} {_KEY}"
