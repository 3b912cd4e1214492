"""Bursts of keys, letters of any script, and bytes that are not keys are all read in order."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from terminal import CHECK_INTERVAL, Start

from cekura_tui.ui.terminal.input_parser import REST_TIMEOUT

STRAY = (
    b"\xe9\xff"  # é in Latin-1, and line noise
    b"\xf1"  # meta sent as the eighth bit
    b"\xc0\xaf\xed\xa0\x80\x1b[97;;55296u"  # overlong UTF-8 and surrogates
    b"\x1b[M \xe1\xf1"  # an old mouse report beyond column 95
    b"\x1b[1114112u\x1b[97:65;1:3u"  # invalid code points
    b"\x1b[1;q"  # an unknown sequence that ends in the quit key
    b"\x1b]11;rgb:q/q/q\x07"  # an answer meant for another program
    b"\x1bPq q\x1b\\\x1b_q\x07q\x1b\\\x1b^q\x1b\\\x1bXq\x1b\\\x1b]q\x1b\\"  # control strings of all kinds
    b"\x1b[27;5;99999999~\x1b[99999999999;9u\x1b[48;99999;99999;99999;99999t"  # absurd numbers
    + (b"\x1b[" + b"9" * 1_000 + b"q")  # a sequence far too long
    + b"\x1b[48;0;0;0;0t\x1b[<0;3;3M"  # a resize to 0 × 0
    b"\x1b[<35;10;2"  # a truncated mouse report
)


def test_keys_work_after_stray_bytes_and_after_a_megabyte_of_keys(start: Start) -> None:
    terminal, checks = start("--demo").wait("240 runs", "900238"), int(1.5 * REST_TIMEOUT / CHECK_INTERVAL)
    for data in (STRAY, b"q\r2" * 333_333):
        terminal.send(data)
        terminal.wait_idle(checks=checks)  # the time for the rest of a truncated sequence or paste is over
        terminal.press("?").wait("Keys · Runs")
        terminal.press("esc").wait("240 runs", gone="Keys · Runs")
    terminal.quit()


def test_keys_before_a_slash_move_the_cursor_and_keys_after_the_slash_are_typed(start: Start) -> None:
    terminal = start("--demo").wait("240 runs", "live")
    for moves in ("j", "jj", "jjjj"):
        terminal.press(f"{moves}/agent:~pizza\r").wait("/ agent:~pizza", "0 of 240 runs", "No matching runs.")
        terminal.press("esc").wait("240 runs", "900240", gone="agent:~pizza")
    terminal.quit()


def test_a_q_right_after_a_key_that_opens_a_dialog_does_not_quit(start: Start) -> None:
    terminal = start("--demo").wait("240 runs", "live")
    dialogs = {"p": "List runs of", "v": "Failed today", "y": "Copy or save", "i": "Improve the prompt"}
    for key, dialog in dialogs.items():
        terminal.press(f"{key}q").wait(dialog)
        terminal.press("esc").wait("240 runs", gone=dialog)
    terminal.quit()


TYPED = "می\u200cخواهم 👩\u200d👩\u200d👧"


def test_persian_typed_in_one_burst_with_the_edit_key_is_kept(start: Start, home: Path, prepared: Path) -> None:
    shutil.copytree(prepared / "demo", home)
    terminal = start("--demo").wait("240 runs")
    terminal.press("2")
    terminal.wait("Job 4").press("j")
    terminal.wait("Job 3").press("enter")
    terminal.wait("Suggestion of job 3", "· 1 of 2", "reason:")
    terminal.press(f"c{TYPED} Always ask. \x07").wait("✎1", gone="Edit change")
    with closing(sqlite3.connect(next(home.rglob("*.db")))) as sql:
        [(what, text)] = sql.execute("SELECT what, text FROM stagings").fetchall()
    assert what == "edited"
    assert f"{TYPED} Always ask. ".encode() in bytes(text)
    terminal.quit()
