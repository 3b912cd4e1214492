"""Calls that are not like the others: hostile recognition results, and one call that never seems to end."""

from __future__ import annotations

from dataclasses import replace

from cekura_tui.demo.dialogue import DialogueTurn, ScriptLine, timed
from cekura_tui.demo.facts import Dice
from cekura_tui.demo.people import PERSONALITIES

# What speech recognition made of a stranger's words; a client that draws it raw loses its screen.
_HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07 sorry, that was a noise on the line.",
    "[/red] [@click=app.quit]press here[/] is what the text message said.",
    "My name in the email is \u202egnirts desrever\u202c, just so you know.",
    "It says \x9b31m and \x90 on my display, and \U000e0001\U000e0068\U000e0069\U000e007f nothing else.",
    "\x1b]52;c;cm0gLXJmIH4=\x07 hello? \x1b[?1049l\x1b[31mARE YOU THERE\x1b[0m",
)

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ASKS = (
    "And what about {day} the {date}, leaving around {hour}?",
    "Could you look at {day} the {date} too, some time after {hour}?",
    "Hm. My sister says {day} the {date} is better for her. Is there anything at {hour}?",
    "Let me write that down. And {day} the {date}, {hour} or so?",
)
_ANSWERS = (
    "On {day} the {date} there is MA {flight} at {hour}, with {seats} seats left, for {fare} dollars.",
    "MA {flight} leaves at {hour} on {day} the {date}. The difference is {fare} dollars, {seats} seats are free.",
    "At {hour} on {day} the {date} I can offer MA {flight}, {fare} dollars more, {seats} seats.",
)


def made_hostile(turns: list[DialogueTurn]) -> list[DialogueTurn]:
    """The same call with control characters, markup and hidden text in what the caller says."""
    made = list(turns)
    callers = [index for index, turn in enumerate(turns) if turn.who == "C"]
    for number, index in enumerate(callers):
        extra = _HOSTILE[number % len(_HOSTILE)]
        made[index] = replace(turns[index], text=f"{turns[index].text} {extra}")
    return made


def endless_call(turns: int, dice: Dice) -> list[DialogueTurn]:
    """A call of exactly `turns` turns, in which a traveller goes through all flights of a year."""
    spoken: list[tuple[ScriptLine, str | None]] = [
        (ScriptLine("A", "Meridian Air rebooking, good day. May I have your booking code?"), None),
        (ScriptLine("C", "It's K 7, 2 2 0 5. I'm organising a family reunion, and this may take us a while."), None),
    ]
    step = 0
    while len(spoken) < turns - 2:
        words = {
            "day": _DAYS[step % 7],
            "date": f"{1 + step % 28}. of {('May', 'June', 'July', 'August')[step // 28 % 4]}",
            "hour": f"{6 + step % 16}:{('05', '20', '35', '50')[step % 4]}",
            "flight": 100 + step * 7 % 800,
            "seats": 1 + step * 5 % 23,
            "fare": 40 + step * 13 % 400,
        }
        spoken.append((ScriptLine("C", _ASKS[step % len(_ASKS)].format(**words)), None))
        if step % 9 == 4:
            spoken.append(
                (ScriptLine("T", f'search_flights {{"day": "{words["date"]}", "hour": "{words["hour"]}"}}'), None)
            )
            spoken.append((ScriptLine("R", f'{{"flights": ["MA {words["flight"]}"]}}'), None))
        spoken.append((ScriptLine("A", _ANSWERS[step % len(_ANSWERS)].format(**words)), None))
        step += 1
    del spoken[turns - 2 :]
    spoken.append((ScriptLine("C", "You know what, I'll take the very first one that you named."), None))
    spoken.append((ScriptLine("A", "I have changed your ticket. Thank you for flying with Meridian Air."), "readback"))
    return timed(spoken, PERSONALITIES[4], dice)
