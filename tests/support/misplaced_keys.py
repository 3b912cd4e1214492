"""config.toml with a key in a wrong line: in every setting, in every kind of wrong value, and where TOML is broken."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

from cekura_tui.config.settings import SETTINGS

KEYS = {
    "sk": "sk-live-4f9aK2mXq7Zr81TtYb3W",
    "hex": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
    "uuid": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "cekura": "ck_prod_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5",
    "vault": 'b"7\\x/K9+q=Ww4~Tz$Lm',
    "letters": "qhzvkwmtxrbnpdgfjclsyaeu",
    "capitals": "QWXKZLPMVTRNHGJDSBFC",
    "digits": "48213905571620394857",
    "base64": "q83vEjRW+Jq8/vEjRWeJqxK2ZQ==",
    "dots": "v1.Kq8.x2Lm.zz91.p0aQ",
    "words": "blue-whale-prod-4f9a2c71",
    "short": "k7Qp2xWz",
    "umlauts": "schlüsselß-éñ9Ωкл7",
}
"""A key of each known shape, one with letters that JSON and URLs escape, and others of no known shape."""

_VALUES = {
    "text": '"{key}"',
    "list": '["a", "{key}"]',
    "command": '"{key} --now"',
    "assignment": '"TOKEN={key} cmd"',
    "argument": '"cat {key}"',
    "quote": '"cat \'{key}"',
    "path": '"http://127.0.0.1:9/{key}"',
    "query": '"http://127.0.0.1:9/?token={key}"',
    "user": '"http://{key}@127.0.0.1:9"',
    "password": '"http://me:{key}@127.0.0.1:9"',
    "host": '"https://{key}"',
    "port": '"http://127.0.0.1:9:{key}"',
    "plain http": '"http://api.example.com/{key}"',
}
"""Wrong values of a setting, by the place of the key in them."""
_TABLES = {
    "name in table": '"{key}" = {right}',
    "value in table": '"{right_name}" = "{key}"',
    "list in table": '"{right_name}" = ["{key}"]',
    "table in table": '"{key}" = {{ a = 1 }}',
}
_RIGHT_NAMES = {"keys": "runs.improve", "theme": "accent", "columns": "run", "improve": "command"}
_WHOLE = {
    "unknown setting": '"{key}" = 1',
    "unknown setting's value": 'stray = "{key}"',
    "api_key": 'api_key = "{key}"',
    "unknown table": '["{key}"]\na = 1',
    "near a known name": '"api_key_{key}" = 1',
    "name of a profile": '[profiles."{key}"]\nnotify = "off"',
    "wrong profile": '[profiles."{key}"]\nnotify = "x"\nread_only = 3',
    "profile that is no table": '[profiles]\n"{key}" = 1',
    "profile in use": 'profile = "{key}"\n[profiles."{key}"]\nnotify = "off"',
    "profiles": 'profiles = "{key}"',
    "theme's name": '[theme]\nname = "{key}"',
    "dotted": '"{key}".a.b = 1',
    "comment": "# {key}\nread_only = true",
    "comment of a wrong line": "title = 3 # {key}",
    "no value": "{key}",
    "no quotes": "api_key_command = {key}",
    "no name": '= "{key}"',
    "no end": 'api_url = "{key}',
    "no end of a table": '["{key}"',
    "no end of lines": 'title = """\n{key}',
    "twice": '"{key}" = 1\n"{key}" = 2',
    "table twice": '["{key}"]\n["{key}"]',
    "name and table": '"{key}" = 1\n["{key}".a]',
    "inline table": 'keys = {{ a = "{key}" }}\nkeys."{key}" = 1',
    "escape": 'title = "\\q{key}"',
    "date": "title = 2020-99-99{key}",
    "not UTF-8": 'title = "{key}\udcff"',
}


def misplaced(key: str) -> Iterator[tuple[str, str]]:
    """A name and the text of each config.toml."""
    escaped = json.dumps(key)[1:-1]
    for name, setting in SETTINGS.items():
        for within, table in (("", ""), (" of a profile", "[profiles.work]\n")):
            for kind, value in _VALUES.items():
                yield f"{name}{within}: {kind}", f"{table}{name} = {value.format(key=escaped)}"
            for kind, entry in _TABLES.items() if setting.kind.type is dict else ():
                right = "1" if name == "columns" else '"x"'
                line = entry.format(key=escaped, right=right, right_name=_RIGHT_NAMES.get(name, "a"))
                yield f"{name}{within}: {kind}", f"[{'profiles.work.' if table else ''}{name}]\n{line}"
    for kind, text in _WHOLE.items():
        yield kind, text.format(key=escaped if '"{key}' in text else key)


def forms(key: str) -> tuple[bytes, ...]:
    """The key as it may be found in an output: plain, in pieces, escaped for JSON, TOML, Python or a URL, in lower case
    as in a host, and in base64 at each of the three alignments."""
    plain = {key, key.lower(), json.dumps(key)[1:-1], repr(key)[1:-1], quote(key, safe=""), key[:12], key[-12:]}
    within = {base64.b64encode(b"x" * n + key.encode())[4:-8] for n in range(3) if len(key) > 12}
    return (*(one.encode() for one in plain), *within)
