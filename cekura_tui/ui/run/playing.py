"""The recording of the run on screen: fetch it, play it from a place, and show the call by its sound."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.timer import Timer

from cekura_tui.audio.by_sound import BySound, by_sound_of
from cekura_tui.audio.fetch import Recording
from cekura_tui.audio.player import Player, can_hear, find_player
from cekura_tui.config.programs import in_thread
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.details import web_link
from cekura_tui.model.run.view import RunView
from cekura_tui.model.transcript.timeline import clock, needs_hours
from cekura_tui.ui.kit.copying import CopyDialog, Offer
from cekura_tui.ui.terminal.browser import open_link
from cekura_tui.ui.terminal.capabilities import read_over_ssh

if TYPE_CHECKING:
    from cekura_tui.ui.run.screen import RunScreen

_TICK = 0.2
"""Seconds between two looks at the player; the screen is drawn only if the second or the turn has changed."""
_NO_PLAYER = "Neither mpv nor ffplay, cvlc or afplay is installed"


class Playback:
    """Plays the recording of one run, and shows the call by its sound."""

    def __init__(self, screen: RunScreen, view: RunView) -> None:
        self.view = view
        self.by_sound: BySound | None = None
        """The call by its sound, while the screen shows that form."""
        self._heard: BySound | None = None
        self._screen, self._workspace = screen, screen.state.workspace
        self._recording: Recording | None = None
        self._player: Player | None = None
        self._timer: Timer | None = None
        self._stop = threading.Event()
        self._work = ""
        """What is being done before the recording plays or its sound is shown."""
        self._followed: Hashable = None
        """The turn that plays; the cursor follows while it is on this turn."""
        self._paused_on: Hashable = None
        self._line = ""
        screen.app.app_suspend_signal.subscribe(screen, lambda app: self.pause(), immediate=True)

    @property
    def is_active(self) -> bool:
        """Whether the recording is being fetched or read, plays or is paused."""
        return self._timer is not None

    @property
    def label(self) -> str | None:
        """What the key to play does now, for the footer; None if the recording is not open."""
        return None if self._player is None else "Pause" if self._player.state().playing else "Play"

    @property
    def line(self) -> str:
        """Where the recording is, or what is being done; empty unless `is_active`."""
        if self._work or self._player is None:
            return self._work
        length, state = self._screen.strip.timeline.length, self._player.state()
        at, of = (clock(seconds, hours=needs_hours(length)) for seconds in (state.position, length))
        return f"▶ {at} of {of}" if state.playing else f"paused at {at} of {of}"

    def title(self, facts: list[str]) -> tuple[str, list[str]]:
        """The name of the timeline, and facts for its title. `line` replaces the given facts."""
        facts = [self.line] if self.line else facts
        if self.by_sound is None:
            return "Timeline", facts
        found = self.by_sound
        return "By sound", [*facts, *filter(None, (found.note, found.answers, found.overlaps))]

    def play_or_pause(self) -> None:
        """Play from the turn under the cursor, pause, or go on, from that turn if the user has moved the cursor."""
        turn = self._screen.navigator.turn_to_hear
        at = self._screen.strip.start_of(turn)
        if self._player is None:
            if not self.is_active:
                self._begin(self._play(at))
        elif (state := self._player.state()).playing:
            self.pause()
        else:
            self._followed = self._screen.transcript.cursor_key
            self._player.play(state.position if turn == self._paused_on else at)
            self._tick()

    def pause(self) -> None:
        if self._player is not None:
            self._player.pause()
            is_followed = self._screen.transcript.cursor_key == self._followed
            self._paused_on = self._screen.navigator.turn_to_hear if is_followed else None
            self._tick()

    def step(self, seconds: float) -> None:
        if self._player is not None:
            at, is_paused_here = self._player.state().position, self._paused_on == self._screen.navigator.turn_to_hear
            # Players fail if they start at the end.
            self._player.seek(max(min(at + seconds, self._screen.strip.timeline.length - 0.5), 0.0))
            self._tick(follow=True)
            if is_paused_here:
                self._paused_on = self._screen.navigator.turn_to_hear

    def show_by_sound(self) -> None:
        """Change between the call by its sound and by its transcript."""
        if self._heard is not None:
            self.by_sound = self._heard if self.by_sound is None else None
            self._screen.draw()
        elif not self._work:
            self._begin(self._listen())

    def stop(self) -> None:
        self._end()
        self._screen.strip.move_playhead(None)
        self._screen.draw_times()
        self._screen.refresh_bindings()

    def leave(self) -> None:
        """Stop, and remove a recording that is not to be kept."""
        self._end()
        if self._recording is not None and (self._recording.memory or not self._workspace.setup.settings.keep_audio):
            self._recording.discard()

    def _end(self) -> None:
        self._screen.workers.cancel_group(self._screen, "recording")
        self._stop.set()
        if self._player is not None:
            self._player.stop()
        if self._timer is not None:
            self._timer.stop()
        self._player = self._timer = None
        self._work = self._line = ""

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        async def done() -> None:
            try:
                await work
            except CekuraTuiError as error:
                self._screen.notify_once(error.sentence())
            self._work = ""
            if self._player is None:
                self.stop()
            else:
                self._tick()

        if self._timer is None:
            self._timer = self._screen.set_interval(_TICK, self._tick)
        self._screen.run_worker(done(), group="recording", exclusive=True)

    async def _fetch(self) -> Recording:
        def show(done: int, total: int | None) -> None:  # called in the background thread; the next tick draws it
            filled = 12 * done // total if total else 0
            size = f"{'━' * filled:·<12} {done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else f"{done / 1e6:.1f} MB"
            self._work = f"fetching the recording {size}"

        if self._recording is None or not self._recording.path.exists():
            run_id, link = self.view.row.id, self.view.source.get("voice_recording_url")
            self._work = "fetching the recording"
            self._tick()
            self._recording = await self._workspace.call(lambda session: session.recording(run_id, link, show))
        return self._recording

    async def _play(self, at: float) -> None:
        setting, link = self._workspace.setup.settings.player, web_link(self.view.source.get("voice_recording_url"))
        player, there = find_player(setting, os.environ), f"{link}#t={int(at)}"
        if player is not None and (setting or can_hear(os.environ)):
            recording = await self._fetch()
            self._player = Player(player, recording.path, os.environ)
            self._followed = self._screen.transcript.cursor_key
            self._player.play(at)
            return
        if not read_over_ssh(os.environ) and await open_link(there):
            raise CekuraTuiError(f"{_NO_PLAYER}: opened the recording in a browser.")
        why = "This machine has no audio device to hear over SSH." if player else f"{_NO_PLAYER}."
        offers = [Offer(f"link to the recording from {clock(at)}", lambda: there)] if link else []
        self._screen.app.push_screen(CopyDialog(f"run {self.view.row.id}", offers, [why]))

    async def _listen(self) -> None:
        path = (await self._fetch()).path
        self._work = "reading the sound"
        self._tick()
        self._stop = threading.Event()
        work = partial(by_sound_of, path, self.view, self._stop)
        self._heard = self.by_sound = await asyncio.wrap_future(in_thread(work))
        self._screen.draw()

    def _tick(self, *, follow: bool = False) -> None:
        """Draw where the recording is if that has changed, and move the cursor with the turns, if paused only to
        `follow` the user. At its end a recording is paused, so that keys keep their meaning."""
        if self._player is not None:
            state = self._player.state()
            if state.failure:
                self._screen.notify_once(state.failure)
                self._player = None
                self._screen.strip.move_playhead(None)
                if not self._work:
                    self.stop()
                return
            self._screen.strip.move_playhead(state.position)
            turn = self._screen.strip.turn_before(state.position)
            if (
                (state.playing or follow)
                and turn is not None
                and self._screen.transcript.cursor_key == self._followed != turn
            ):
                self._screen.transcript.go_to(turn)
                self._followed = self._screen.transcript.cursor_key
        if self._line != self.line:
            self._line = self.line
            self._screen.draw_times()
            self._screen.refresh_bindings()
