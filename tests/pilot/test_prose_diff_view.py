"""The diff of two prompts on screen: marks beside every line, changes one key apart, nothing hidden."""

from __future__ import annotations

from textual.app import App, ComposeResult

from cekura_tui.model.prose_blocks import diff
from cekura_tui.ui.widgets.prose_diff import ProseDiffView

OLD = "# Role\nYou are Ava.\n\n## Verification\n" + "".join(f"- Rule {n} stays as it is.\n" for n in range(30))
NEW = (
    OLD.replace("You are Ava.", "You are Eva.")
    .replace("- Rule 9 stays as it is.", "- Rule 9 stays as it was.")
    .replace("- Rule 20 stays as it is.\n", "")
    + "\n## Closing\nSay goodbye.\n"
)


class DiffApp(App[None]):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.old, self.new = old, new
        self.view = ProseDiffView()

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.show_diff(diff(self.old, self.new))
        self.view.focus()


def screen(view: ProseDiffView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


async def test_every_change_says_where_it_is_and_every_line_what_became_of_it() -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        assert screen(app.view)[:34] == [
            "  # Role",
            "change 1 of 4 · under “Role” · line 2",
            "~ You are Ava Eva.",
            "",
            "  ## Verification",
            "… 7 lines unchanged …",
            "  - Rule 7 stays as it is.",
            "  - Rule 8 stays as it is.",
            "change 2 of 4 · under “Verification” · line 14",
            "~ - Rule 9 stays as it is was.",
            "  - Rule 10 stays as it is.",
            "  - Rule 11 stays as it is.",
            "… 6 lines unchanged …",
            "  - Rule 18 stays as it is.",
            "  - Rule 19 stays as it is.",
            "change 3 of 4 · under “Verification” · line 25",
            "- - Rule 20 stays as it is.",
            "  - Rule 21 stays as it is.",
            "  - Rule 22 stays as it is.",
            "… 5 lines unchanged …",
            "  - Rule 28 stays as it is.",
            "  - Rule 29 stays as it is.",
            "change 4 of 4 · under “Verification” · line 35",
            "+",
            "+ ## Closing",
            "+ Say goodbye.",
            *[""] * 8,
        ]


async def test_what_went_is_struck_and_what_came_is_underlined() -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        styles = {segment.text: segment.style for segment in app.view.render_line(2) if segment.style}
        assert styles["Ava"].strike
        assert styles["Eva"].underline
        assert not styles["You are "].strike


async def test_n_goes_from_change_to_change_and_shows_all_of_it() -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 8)) as pilot:
        heads = []
        for key in "nnnnnNN":
            await pilot.press(key)
            assert app.view.cursor_row is not None
            heads.append(app.view.cursor_row.text[:8])
        assert heads == [f"change {n}" for n in (1, 2, 3, 4, 4, 3, 2)]
        await pilot.press("n", "n")
        assert screen(app.view)[-1] == "+ Say goodbye."
        assert app.view.cursor_block == len(diff(OLD, NEW).blocks) - 1


async def test_hidden_characters_of_a_prompt_are_seen() -> None:
    app = DiffApp("Be polite.\n", "Be polite.\x1b[31m\u202e\tNow\rhere.\n")
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.pause()
        assert screen(app.view)[1] == "~ Be polite.␛[31m⟨U+202E⟩    Now␍here."


async def test_line_ends_alone_are_said_and_not_drawn() -> None:
    app = DiffApp(OLD, OLD.replace("\n", "\r\n"))
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.pause()
        assert screen(app.view)[:2] == ["change 1 of 1 · line 1 · line ends only · 34 lines", ""]


async def test_two_equal_texts_say_so() -> None:
    app = DiffApp(OLD, OLD)
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.press("n")
        assert screen(app.view)[0] == "Both texts are the same."


async def test_a_reflowed_paragraph_marks_the_changed_words_alone() -> None:
    app = DiffApp(
        "Offer at most three slots and\nalways repeat the one\n", "Offer at most two slots and always\nrepeat the one\n"
    )
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.pause()
        assert screen(app.view)[1:3] == ["~ Offer at most three two slots and always", "  repeat the one"]


async def test_a_joined_line_shows_the_line_end_that_went() -> None:
    app = DiffApp(
        "Always greet the caller warmly\nand kindly. Then ask.\n", "Always greet the caller warmly. Then ask.\n"
    )
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.pause()
        assert screen(app.view)[1] == "~ Always greet the caller warmly↵and kindly. Then ask."


async def test_an_endless_line_is_counted_and_not_drawn() -> None:
    app = DiffApp("word " * 4_000, "word " * 3_999 + "end")
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.press("G")
        assert screen(app.view)[-1].endswith("characters more)")
