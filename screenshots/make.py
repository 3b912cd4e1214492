"""Makes the pictures of the README from the real app on the embedded workspace.

    python screenshots/make.py [DIRECTORY]

needs the extra `dev`. Each picture is 120 × 36 cells; without a directory they go beside this file.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests" / "support"), str(HERE.parent)]

from scenes import SCENES, Scene, prepare, prepared_app  # noqa: E402 - found by the paths above

from cekura_tui.ui.app import CekuraApp  # noqa: E402

SIZE = (120, 36)
# A picture fetches nothing: the reader's own monospaced font will do.
_FONT = re.compile(r"@font-face \{[^}]*\}")


async def _picture(app: CekuraApp, scene: Scene) -> str:
    async with app.run_test(size=SIZE) as pilot:
        await scene(pilot)
        return app.export_screenshot(simplify=True)


def make(directory: Path) -> None:
    """Write one SVG a scene."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        prepare(home)
        for name, scene in SCENES.items():
            with prepared_app(home) as app:
                picture = _FONT.sub("", asyncio.run(_picture(app, scene)))
                (directory / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
