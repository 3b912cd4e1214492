"""Requests as curl commands, to be run in a shell that has the key in CEKURA_API_KEY; the key itself is in none."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlencode

from cekura_tui.model.job import Draft

LAUNCH_PATH = "/test_framework/v1/runs/improve_prompt_bg/"
PROGRESS_PATH = "/test_framework/v1/runs/improve_prompt_progress/"
_END = "END_OF_BODY"
_KEY = '-H "X-CEKURA-API-KEY: $CEKURA_API_KEY"'


def launch_command(base: str, draft: Draft) -> str:
    """The launch of a job, prompt and all. Running it launches another one."""
    # On standard input, for an argument may be too long for the system; JSON is one line, so nothing ends it early.
    command = f"curl -X POST {shlex.quote(f'{base}{LAUNCH_PATH}')} {_KEY} -H 'Content-Type: application/json'"
    return f"{command} --data-binary @- <<'{_END}'\n{json.dumps(draft.body())}\n{_END}"


def progress_command(base: str, progress_id: str) -> str:
    """The question how far a job is."""
    url = f"{base}{PROGRESS_PATH}?" + urlencode({"progress_id": progress_id})
    return f"curl {shlex.quote(url)} {_KEY}"
