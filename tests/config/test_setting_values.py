"""Any value of a setting is rejected, or converted to the setting's type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
def test_any_value_is_rejected_or_read_as_the_type_of_its_setting(values: dict[str, Any]) -> None:
    wrong = {name[0] for name in wrong_values(values)}
    assert wrong <= set(SETTINGS)
    right = {name: value for name, value in values.items() if name not in wrong and name in SETTINGS}
    made = make_settings({**right, "unknown": 1})
    for name, value in right.items():
        read = getattr(made, name)
        assert type(read) is SETTINGS[name].kind.type
        assert read == (int(value) if isinstance(read, int) and isinstance(value, str) else value)


def test_every_default_of_a_setting_is_valid_unless_the_default_is_none() -> None:
    defaults = {name: setting.default for name, setting in SETTINGS.items() if setting.default is not None}
    assert wrong_values(defaults) == {}
    assert make_settings(defaults) == make_settings({}) == Settings()


@pytest.mark.parametrize(("value", "meant"), [("7", 7), (" 7 ", 7), ("007", 7), (str(2**63 - 1), 2**63 - 1)])
def test_a_number_may_be_written_as_text(value: str, meant: int) -> None:
    assert make_settings({"project_id": value}).project_id == meant


@pytest.mark.parametrize("value", [True, 5.0, "5.0", "-1", -1, "٣", "1_0", "", 2**63, str(2**63), "9" * 5000])
def test_a_project_id_that_is_not_a_whole_number_from_0_is_rejected(value: object) -> None:
    assert wrong_values({"project_id": value}).keys() == {("project_id",)}
