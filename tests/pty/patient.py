"""Starts the program so that a screen waits as long as it takes for what it shows first, on a busy machine, too."""

from cekura_tui.cli.main import main
from cekura_tui.ui.kit import app_screen

app_screen.READING = app_screen.BUSY = app_screen.OPENING = 10.0
main()
