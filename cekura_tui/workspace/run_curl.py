"""The question for a run as a curl command, to be run in a shell that has the key in CEKURA_API_KEY."""

from __future__ import annotations

import shlex

from cekura_tui.workspace.setup import Setup


def run_command(setup: Setup, run_id: int) -> str | None:
    """Asks for the whole run; the key is not in it. None for the embedded server, which ends with the program."""
    if setup.demo:
        return None
    url = f"{setup.server.base}/test_framework/v1/runs/{run_id}/"
    return f'curl {shlex.quote(url)} -H "X-CEKURA-API-KEY: $CEKURA_API_KEY"'
