"""Values for spreadsheets: a cell that a program would run as a formula is written as text."""

from collections.abc import Iterable

# What spreadsheet programs take for the beginning of a formula, and signs they strip before they look.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: object) -> str:
    """One value as a cell; text that would begin a formula gets an apostrophe in front (OWASP, CSV injection)."""
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def row(values: Iterable[object]) -> list[str]:
    """One line of cells."""
    return [cell(value) for value in values]
