"""Takes screenshots of the real app on the embedded demo workspace; needs the extra `dev`.

    python screenshots/make.py [DIRECTORY]              the README's pictures, 120 × 36 cells
    python screenshots/make.py --gallery DIRECTORY      every screen and main dialog: all looks, three sizes

Without a directory the README's pictures are written beside this file.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests" / "support"), str(HERE.parent)]

from gallery import GALLERY  # noqa: E402 - needs the paths added above
from rich.terminal_theme import SVG_EXPORT_THEME  # noqa: E402
from scenes import SCENES, Scene, add_proposal, light_picture, prepare, prepared_app  # noqa: E402

SIZES = ((80, 24), (120, 36), (160, 48))
LOOKS = {
    "dark": ("cekura", "truecolor"),
    "light": ("cekura-light", "truecolor"),
    "dark-256": ("cekura", "256"),
    "light-256": ("cekura-light", "256"),
    "dark-16": ("cekura", "16"),
    "light-16": ("cekura-light", "16"),
    "plain": ("cekura", "none"),
}
"""Theme and terminal colours by name of the look."""
_XTERM = (
    *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
    *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
)


def as_in_xterm(svg: str) -> str:
    """Replace Rich's 16 colours with xterm's."""
    for number, colour in enumerate(_XTERM):
        svg = svg.replace(SVG_EXPORT_THEME.ansi_colors[number].hex, colour)
    return svg


async def _picture(home: Path, scene: Scene, size: tuple[int, int], look: str) -> str:
    theme, colours = LOOKS[look]
    with prepared_app(home, colours=colours) as app:
        app.theme = theme
        async with app.run_test(size=size, notifications=True) as pilot:
            await scene(pilot)
            svg = light_picture(app.export_screenshot(simplify=True))
            return as_in_xterm(svg) if colours == "16" else svg


def make(directory: Path) -> None:
    """Write the README's scenes as SVG files."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        prepare(home)
        for name, scene in SCENES.items():
            (directory / f"{name}.svg").write_text(asyncio.run(_picture(home, scene, (120, 36), "dark")), "utf-8")


def _pictures() -> Iterator[tuple[str, tuple[int, int], str]]:
    for look, (_, colours) in LOOKS.items():
        for size in SIZES if colours in ("truecolor", "none") else SIZES[:1]:
            yield from ((name, size, look) for name in GALLERY)


def _make_one(home: Path, directory: Path, name: str, size: tuple[int, int], look: str) -> None:
    os.environ.pop("NO_COLOR", None)
    os.environ["HOME"] = str(home)  # so that paths in pictures start with "~"
    os.chdir(home)
    place = directory / f"{look}-{size[0]}x{size[1]}"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.svg").write_text(asyncio.run(_picture(home, GALLERY[name], size, look)), "utf-8")


def make_gallery(directory: Path, only: str = "") -> None:
    """Write all scenes whose name starts with `only`, in every size and look."""
    with tempfile.TemporaryDirectory() as place, ProcessPoolExecutor() as pool:
        home, directory = Path(place) / "home", directory.absolute()
        prepare(home)
        add_proposal(home)
        asked = [picture for picture in _pictures() if picture[0].startswith(only)]
        made = [pool.submit(_make_one, home, directory, *picture) for picture in asked]
        for one, picture in zip(made, asked, strict=True):
            if (error := one.exception()) is not None:
                print(*picture, error, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    if "--gallery" not in sys.argv:
        make(Path(names[0]) if names else HERE)
    elif names:
        make_gallery(Path(names[0]), *names[1:])
    else:
        sys.exit("Name the directory for the gallery: python screenshots/make.py --gallery DIRECTORY")
