"""Settings that are right at a glance mean what pydantic makes of them, which is not loaded for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from cekura_tui.config import settings
from cekura_tui.config.settings import SETTINGS, Settings, make_settings, wrong_values

_TEXTS = st.one_of(
    st.text("abC05 é_-+.'\"\\\0\n٣\udc80", max_size=6),
    st.integers().map(str),
    st.integers(0, 2**64).map(lambda number: f"00{number}"),
    st.sampled_from(
        ["", " 5", "5.0", "1_0", "٣", "+5", "auto", "osc9", "say 'a b'", "'", "\0", "a\nb", "\udc80", "true"]
    ),
)
_VALUES = st.one_of(
    *(_TEXTS, st.booleans(), st.integers(), st.integers(-1, 1001), st.floats()),
    st.sampled_from([2**63 - 1, 2**63, 5.0, None, [], ["a"]]),
    st.dictionaries(_TEXTS, st.one_of(_TEXTS, st.integers(-1, 1001), st.booleans()), max_size=3),
)


@given(st.dictionaries(st.sampled_from([*SETTINGS, "unknown"]), _VALUES, max_size=4))
@example({"unknown": 1, "project_id": 5})
def test_what_is_right_at_a_glance_is_what_pydantic_makes_of_it(values: dict[str, Any]) -> None:
    evident = settings._evident_values(values)
    if evident is not None:
        assert settings._model().model_validate(values).model_dump(exclude_unset=True) == evident
        assert {name: type(value) for name, value in evident.items()} == {
            name: SETTINGS[name].kind.type for name in values if name in SETTINGS
        }


@given(st.sampled_from(list(SETTINGS)), _VALUES)
def test_a_value_is_wrong_or_can_be_used(name: str, value: Any) -> None:
    try:
        read = settings._model().model_validate({name: value})
    except ValidationError:
        assert {wrong[0] for wrong in wrong_values({name: value})} == {name}
    else:
        assert wrong_values({name: value}) == {}
        assert getattr(make_settings({name: value}), name) == getattr(read, name)


def test_the_defaults_are_right() -> None:
    defaults = {name: setting.default for name, setting in SETTINGS.items()}
    assert wrong_values(defaults) == {}
    assert make_settings(defaults) == make_settings({}) == Settings()


def test_a_table_of_the_settings_does_not_change_with_the_one_it_was_made_of() -> None:
    table: dict[str, object] = {"runs.improve": "I"}
    assert settings._evident_values({"keys": table, "title": True}) == {"keys": table, "title": True}
    made = make_settings({"keys": table})
    table["runs.open"] = "o"
    assert made.keys == {"runs.improve": "I"}


@pytest.mark.parametrize(("value", "meant"), [(5.0, 5), (" 7 ", 7), ("-0", 0)])
def test_numbers_may_be_written_in_other_ways(value: object, meant: int) -> None:
    assert make_settings({"project_id": value}).project_id == meant
