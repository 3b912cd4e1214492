"""How long the answer to a launch is waited for: a minute in which this process ran."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from scripted_server import LAUNCH, Hold, Reply, ScriptedServer
from waiting import until

from cekura_tui.api import client as client_module
from cekura_tui.api.client import Client
from cekura_tui.api.errors import Unreachable
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt

LAUNCHING = """
import asyncio, sys
from cekura_tui.api import client
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt

client.LAUNCH_WHOLE = 2.0
there = client.Client(sys.argv[1], "key", loopback=True)
print(asyncio.run(there.launch(Draft((5,), Prompt("Be kind."), 7))).progress_id)
"""


async def test_an_answer_to_a_launch_that_never_comes_is_given_up(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LAUNCH_WHOLE", 0.1)
    scripted.on("POST", LAUNCH, Hold(Reply({"progress_id": "p"})))
    client = Client(scripted.url, "key", loopback=True)
    with pytest.raises(Unreachable, match="did not answer in time"):
        await client.launch(Draft((5,), Prompt("Be kind."), 7))
    await client.aclose()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals that stop")
def test_an_answer_that_came_while_the_program_was_stopped_for_long_is_read(scripted: ScriptedServer) -> None:
    hold = Hold(Reply({"progress_id": "p"}))
    scripted.on("POST", LAUNCH, hold)
    launching = subprocess.Popen([sys.executable, "-c", LAUNCHING, scripted.url], stdout=subprocess.PIPE)
    until(hold.arrived.is_set, "the launch arrived")
    launching.send_signal(signal.SIGSTOP)
    hold.released.set()
    time.sleep(3.0)  # longer than the answer is waited for
    launching.send_signal(signal.SIGCONT)
    assert launching.communicate(timeout=20)[0] == b"p\n"
