"""The eight simulated callers, and the names and numbers that fill in a script."""

from __future__ import annotations

from dataclasses import dataclass

from cekura_tui.demo.facts import Dice


@dataclass(frozen=True, slots=True)
class Personality:
    """How a simulated caller speaks: `pause` seconds before each turn, interrupting if `barges`, with `openings` of
    some turns and `exchanges`: a caller's line and the agent's reply, where `{last}` is the agent's previous line."""

    id: int
    name: str
    pause: float = 0.0
    barges: bool = False
    openings: tuple[str, ...] = ()
    exchanges: tuple[tuple[str, str], ...] = ()


PERSONALITIES: tuple[Personality, ...] = (
    Personality(71, "Calm and clear"),
    Personality(72, "In a hurry", barges=True, openings=("Quickly, please. ", "Yes, yes. ")),
    Personality(
        73,
        "Hard of hearing",
        pause=0.6,
        exchanges=(
            ("Sorry, could you say that again?", "Of course. {last}"),
            ("I didn't catch that, the line is very quiet.", "I'll speak up. {last}"),
        ),
    ),
    Personality(
        74,
        "Learns English",
        pause=0.9,
        openings=("How do you say… ", "Sorry for my English. "),
        exchanges=(("Can you speak more slowly, please?", "Certainly, I'll go slowly. {last}"),),
    ),
    Personality(
        75,
        "Talkative",
        openings=("You know what? ", "I said so to my neighbour. "),
        exchanges=(
            ("You have a lovely voice, by the way. Are you in the same town?", "Thank you. I only live on this line."),
            ("It's been raining here for a week, can you believe it?", "I hope it clears up for you soon."),
        ),
    ),
    Personality(76, "Frustrated", barges=True, openings=("Listen. ", "I already told your colleague. ")),
    Personality(
        77,
        "On a noisy street",
        openings=("(traffic) ",),
        exchanges=(
            ("Sorry, a bus just went by. What did you say?", "No problem. {last}"),
            ("Hang on, I'll step into a doorway. Right, go on.", "Take your time."),
        ),
    ),
    Personality(
        78,
        "Elderly and slow",
        pause=2.4,
        openings=("Well, dear. ",),
        exchanges=(("Just a moment, I need my glasses.", "Take all the time you need."),),
    ),
)

_CALLERS = (
    "Anna Berger",
    "Tom Okafor",
    "Priya Nair",
    "Luis Ortega",
    "Grace Whitfield",
    "Daniel Kim",
    "Mary O'Brien",
    "Sofia Lindqvist",
    "James Carter",
    "Zoë Müller",
)
_PATIENTS = ("Harold Whitfield", "Ruth Adler", "George Okafor", "Carmen Ortega")
_DOCTORS = ("Patel", "Nguyen", "Rossi", "Ellison")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_STREETS = ("Cedar Street", "Mill Lane", "Harbour Road", "Oak Avenue", "Station Road")
_CITIES = ("Chicago", "Lisbon", "Denver", "Toronto", "Oslo")


def details_of(dice: Dice) -> dict[str, str]:
    """Random values for the placeholders (`$name`) in a script, by name."""
    caller = dice.choose(_CALLERS)
    day = dice.below(4)
    hour = dice.below(3)
    code = 1000 + dice.below(9000)
    return {
        "caller": caller,
        "first": caller.split(" ", 1)[0],
        "patient": dice.choose(_PATIENTS),
        "dob": f"{1940 + dice.below(60)}-{1 + dice.below(12):02}-{1 + dice.below(28):02}",
        "doctor": dice.choose(_DOCTORS),
        "day": _DAYS[day],
        "day2": _DAYS[day + 1],
        "time": f"{8 + hour}:{dice.choose(('00', '20', '40'))}",
        "time2": f"{9 + hour}:{dice.choose(('10', '30', '50'))}",
        "code": str(code),
        "code3": str(100 + dice.below(900)),
        "card": str(1000 + dice.below(9000)),
        "amount": str(120 + dice.below(4000)),
        "street": dice.choose(_STREETS),
        "city": dice.choose(_CITIES),
        "flight": f"MA {100 + dice.below(400)}",
        "flight2": f"MA {500 + dice.below(400)}",
        "fee": str(35 + 5 * dice.below(30)),
        "phone": f"555-01{dice.below(100):02}",
    }
