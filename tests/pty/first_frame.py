"""Starts the program and notes which modules are loaded when the first frame is drawn."""

import sys
from pathlib import Path

from cekura_tui.cli.main import main
from cekura_tui.ui.app import CekuraApp

noted = Path(sys.argv.pop(1))
start = CekuraApp._start


def note_and_start(app: CekuraApp) -> None:
    noted.write_text("\n".join(sys.modules))
    start(app)


CekuraApp._start = note_and_start  # type: ignore[method-assign]
main()
