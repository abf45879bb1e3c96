"""No cell of ours runs in somebody's spreadsheet."""

import pytest

from app.domain.sheets import cell, row


@pytest.mark.parametrize("bad", ["=1+1", "+8190", "-1", "@SUM(A1)", "\t=1", "  =cmd|' /C calc'!A0", "＝1＋1", "\r=1"])
def test_what_begins_a_formula_is_text(bad: str) -> None:
    assert cell(bad).startswith("'")


def test_the_rest_stays_as_it_is() -> None:
    assert row(["山●●●", 3, "10:30", "A-1", ""]) == ["山●●●", "3", "10:30", "A-1", ""]
