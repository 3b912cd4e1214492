"""Runs with a hostile text in every field, and the part of each text that must stay readable."""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Iterator

from scripted_server import Got, Reply, ScriptedServer

from cekura_tui.model.text import clean
from cekura_tui.ui.terminal.cells import drawn

SEQUENCES = {
    "csi": "\x1b[2J\x1b[H\x1b[31mred\x1b[0m\x1b[5A\x1b[3;9r\x1b[4h\x1b[!p",
    "osc-bel": "\x1b]0;owned\x07",
    "osc-st": "\x1b]2;owned\x1b\\",
    "osc-clipboard": "\x1b]52;c;cm0gLXJm\x07\x1b]52;p;?\x1b\\",
    "osc-link": "\x1b]8;;https://evil.example/\x1b\\press\x1b]8;;\x1b\\",
    "osc-notify": "\x1b]9;owned\x07\x1b]777;notify;owned;x\x07\x1b]1337;File=inline=1:AAAA\x07",
    "osc-colours": "\x1b]4;1;?\x07\x1b]10;#ff0000\x07\x1b]104\x07",
    "dcs": "\x1bP+q544e\x1b\\\x1bP$qm\x1b\\",
    "sixel": "\x1bPq#0;2;0;0;0#0~~@@vv\x1b\\",
    "apc-kitty": "\x1b_Gf=24,s=1,v=1,a=T;AAAA\x1b\\",
    "pm": "\x1b^private\x1b\\",
    "sos": "\x1bXstring\x1b\\",
    "ss2-ss3": "\x1bNa\x1bOP",
    "single": "\x1bc\x1b7\x1b8\x1b=\x1b>\x1bD\x1bE\x1bM\x1bH\x1bZ\x1b#8\x1b(0\x1b)B\x1b%G\x1bn\x1bo\x1b|",
    "device": "\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[18t\x1b[21t\x1b[x\x05",
    "mouse": "\x1b[?9h\x1b[?1001h\x1b[?1002h\x1b[?1005h\x1b[?1016h",
    "screen": "\x1b[?1049l\x1b[?1049h\x1b[?47h\x1b[?25h\x1b[?3h\x1b[?5h\x1b[?69h",
    "keyboard": "\x1b[>4;2m\x1b[=31;1u\x1b[?u",
    "c1-csi": "\x9b2J\x9b31m\x9b?1049l\x9b6n",
    "c1-osc": "\x9d0;owned\x9c\x9d52;c;cm0gLXJm\x07",
    "c1-others": "\x90q#0~\x9c\x9fGa=T;AAAA\x9c\x9eprivate\x9c\x98string\x9c\x8ea\x8fP\x84\x85\x88\x8d\x9a",
    "controls": "\x00\x01\x05\x07\x08\x0b\x0c\x0e\x0f\x11\x13\x18\x1a\x1c\x7f",
    "bidi": "\u202egnirts\u202c\u202d\u202a\u202b\u2066x\u2067y\u2068z\u2069",
    "surrogates": "\ud800a\udfffb\udc9b",
    "tags": "\U000e0001\U000e0068\U000e0069\U000e007f",
}
"""Characters that terminals obey or that deceive a reader, by family."""
UNENDED = {"csi": "\x1b[3", "osc": "\x1b]52;c;cm0g", "dcs": "\x1bPq", "apc": "\x1b_G", "c1": "\x9d0;own", "esc": "\x1b"}
"""Unterminated sequences; a terminal would swallow the text after each sequence."""
ENDS = ("2Jhalf", "LXJm\x07half", "#0~\x1b\\half", "a=T;AA\x1b\\half", "ed\x9chalf", "chalf")
"""For each sequence of `UNENDED`, in order, a text that would terminate the sequence."""

WORDS = {
    "markup": "[/red] [b] [@click=app.quit]x[/] [b, \\[i] [[x]] [/] [link=https://evil.example]y[/link] $text {x} \\",
    "markdown": "# x **b** ![i](https://evil.example/x.png) <script>alert(1)</script> ``` | a | b | ~~~ &lt;",
    "rtl": "שלום 123 עולם مرحبا ٤٥٦ بالعالم (abc) 7:30",
    "marks": "a\u200eb\u200fc \u061cd e\u200bf g\u2060h \ufeffi so\u00adft j\u034fk",
    "emoji": "👨\u200d👩\u200d👧 👩🏽\u200d🚀 ❤\ufe0f ⚠\ufe0f ☺\ufe0e 👍🏿",
    "emoji-more": "🇩🇪🇫🇷 1\ufe0f\u20e3 #\ufe0f\u20e3 🏳\ufe0f\u200d🌈 🏴\u200d☠\ufe0f 🏽",
    "cjk": "日本語のテキスト、全角ＡＢＣ 한국어 텍스트 漢字 ｶﾀｶﾅ",
    "arabic": "السلام عليكم ورحمة الله",
    "devanagari": "नमस्ते दुनिया क्षत्रिय र\u200dक",
    "thai": "สวัสดีครับ ผู้ใหญ่",
    "jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af \u3147 \u3164x",
    "zalgo": "z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308a\u0327\u0328 l\u0334\u0335g\u0337\u0338o\u20dd",
    "led-by-marks": "\u0301x \u20e3y \ufe0fz \u200d👍",
    "lines": "one\u2028two\u2029three\x0bfour\x0cfive\rsix\r\nseven\x85eight\n\nnine",
    "tabs": "a\tb\t\tc\n\td",
    "odd": "\ufffd \ue000 \U0010ffff \ufdd0 \u2800 \u3000x ﷽ 𓀀 𝕏 ꧁ ㎢",
}
"""Texts that are hard to lay out and must stay readable in full, by kind."""


def marked(name: str, text: str) -> str:
    """Put a text between two words that show a test where the text begins and ends on screen."""
    return f"begin-{name} {text} end-{name}"


TEXTS: dict[str, str] = {name: marked(name, text) for name, text in (SEQUENCES | WORDS).items()}


def visible_text(text: str) -> str:
    """The characters that must appear on screen for a text, without spaces, because lines wrap."""
    return unicodedata.normalize("NFC", "".join(drawn(clean(text)).split()))


def turns() -> list[object]:
    """Transcript entries: a spoken turn and a tool call for each of `TEXTS`, sequences split over two turns, and
    malformed entries."""
    at = itertools.count()

    def entry(text: object, role: str, **more: object) -> dict[str, object]:
        start = 3.0 * next(at)
        return {"role": role, "content": text, "start_time": start, "end_time": start + 2, **more}

    roles = itertools.cycle(("Testing Agent", "Main Agent"))
    spoken: list[object] = [entry(text, next(roles)) for text in TEXTS.values()]
    spoken += [entry(text, next(roles)) for pair in zip(UNENDED.values(), ENDS, strict=True) for text in pair]
    for name, text in TEXTS.items():
        data = {"id": name, "name": f"tool {text}", "arguments": {text: [text, {text: text}]}}
        spoken.append(entry("", "Function Call", data=data))
        result = {"id": name, "name": f"tool {text}", "result": json.dumps({"error": text, text: 1})}
        spoken.append(entry("", "Function Call Result", data=result))
    every = " ".join(TEXTS.values())
    spoken += [
        entry(TEXTS["csi"], f"Role {every}"),
        {"role": "Main Agent", "content": "odd times", "time": every, "start_time": TEXTS["csi"]},
        {"role": "Main Agent", "timestamp": TEXTS["bidi"], every: every},
        every,
        [every],
        {every: {every: [every]}},
        entry([{"type": "text", "text": TEXTS["emoji"]}], "Main Agent"),
    ]
    return spoken


def as_text() -> str:
    """A plain-text transcript of all texts, some with hostile times and roles."""
    lines = [f"[00:{n:02d}] Testing Agent: {text}" for n, text in enumerate(TEXTS.values())]
    return "\n".join([*lines, f"[{TEXTS['csi']}] {TEXTS['osc-bel']}: {TEXTS['apc-kitty']}", *UNENDED.values()])


def huge() -> list[object]:
    """Huge turns: among others a word of a megabyte, 20,000 line ends, and 20,000 combining marks."""
    texts = ("begin-long " + "x" * 1_000_000, "begin-wide " + "漢👨\u200d👩" * 50_000, "begin-ends" + "\r\n" * 20_000)
    texts += ("begin-marks a" + "\u0301" * 20_000, "begin-joined " + "👩\u200d" * 20_000, "begin-last end-last")
    return [{"role": "Main Agent", "content": text, "start_time": 2.0 * n} for n, text in enumerate(texts)]


def run(number: int, **fields: object) -> dict[str, object]:
    """A failed run as the API sends it, with hostile text in every text field."""
    cycle: Iterator[str] = itertools.cycle(TEXTS.values())
    every = " ".join(TEXTS.values())
    metrics = [
        {
            "id": n,
            "name": text,
            "type": text if n % 2 else "binary_workflow_adherence",
            "score": 0 if n % 3 else None,
            "value": text,
            "enum": text,
            "explanation": [text, next(cycle)],
            "extra": {"categories": [{"category": text, "priority": text, "feedback": text, "deviation": text}]},
        }
        for n, text in enumerate(TEXTS.values())
    ]
    texts = (
        "provider_call_id trace_id scenario_name scenario_type personality_name agent_name result_name email_id status "
        "expected_outcome_prompt feedback outbound_number inbound_number error_message scenario_instructions run_type "
        "agent_number ended_reason"
    )
    return {
        "id": number,
        "agent": 7,
        "scenario": 3,
        "project": 1,
        "result_id": 5,
        **{name: f"{name} {next(cycle)} {every}" for name in texts.split()},
        "status": "completed",
        "evaluation_status": "failure",
        "success": False,
        "duration": "05:00",
        "timestamp": f"2026-08-18T10:{number % 60:02d}:00Z",
        "voice_recording_url": f"https://records.example/{TEXTS['osc-link']}.wav",
        "transcript_object": turns(),
        "evaluation": {"metrics": metrics},
        "rubric": [{"metric_id": 1, "metric_name": every, "conditions": every, "value": every, "explanation": every}],
        "critical_categories": [{"category_id": 9, "category": every, "feedback": every, "priority": every}],
        "expected_outcome": {
            "score": 0,
            "explanation": [every],
            "outcome_alignments": [{"outcome": text, "prompt_part": text, "aligned": "no"} for text in TEXTS.values()],
        },
        "metadata": {text: {text: [text]} for text in TEXTS.values()},
        "test_profile_data": {"id": 1, "name": every, "information": dict(zip(TEXTS.values(), cycle, strict=False))},
        "generated_mock_tool_entries": [{text: text} for text in TEXTS.values()],
        "provider_call_details": {every: json.dumps({every: every}), "costs": [every]},
        every: every,
        **fields,
    }


def serve_calls(server: ScriptedServer, *runs: dict[str, object]) -> None:
    """Serve a project with these runs; a list requested with `success=true` has only the passed runs."""

    def page(got: Got) -> Reply:
        passed = got.query.get("success") == "true"
        found = [one for one in runs if one["success"] or not passed]
        return Reply({"count": len(found), "next": None, "previous": None, "results": found})

    server.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": TEXTS["csi"]}]))
    server.on("GET", "/test_framework/v1/runs/", page)
    for one in runs:
        server.on("GET", f"/test_framework/v1/runs/{one['id']}/", Reply(one))
