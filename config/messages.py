"""Catalogues of the words on screens: ``python -m config.messages`` (``make messages``).

Japanese is the source text. What a person reads is found without markers that could be forgotten: in templates
and scripts of screens every ``t("…")``, in Python every string that holds Japanese and is not a docstring.
What a resident meets is wanted in every language, what only staff meet in English (``wanted``).
"""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
TRANSLATIONS = ROOT / "app" / "translations"
LOCALES = ("ja_Hira", "en", "zh_Hans", "zh_Hant", "ko", "vi", "pt")
STAFF_LOCALES = ("en",)
# A date that changed with every run would only make noise in the history.
_DATED = datetime(2026, 4, 1, tzinfo=UTC)
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_TEMPLATES = (ROOT / "app" / "templates",)
_PYTHON = (ROOT / "app" / "web", ROOT / "displays")
# Rooms that only staff enter; everything else a resident may meet.
_STAFF = re.compile(
    r"app/templates/(staff|desk|lead|admin|manage|money|pair)/|app/templates/kiosk/staff|parts/staff"
    r"|app/web/(desk|lead|admin|manage|money|staff_bookings)/|app/web/kiosk/staff|app/web/(sign_in|staff_\w+|pairing|seat\w*)\.py"
    r"|app/web/api/reasons\.py|app/web/report_table\.py"
)
# Japanese in code that nobody reads as a sentence: units of the formatter and parts of its patterns.
_NOT_WORDS = re.compile(
    r"^.?$|u3400|\\\(|^1日$|^00分|^月火水木金土日$|^(简体中文|繁體中文|日本語|やさしい日本語)$|^午[前後]《"
    # What people send by SMS to stop and begin again; the same in every language.
    r"|^(停止|配信停止|ストップ|再開|配信再開|開始)$"
)


def _docstrings(tree: ast.AST) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            found.add(id(body[0].value))
    return found


def _python(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    docs = _docstrings(tree)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docs | inside:
            continue
        if _JAPANESE.search(node.value) and not _NOT_WORDS.search(node.value):
            yield node.value


def _template(path: Path) -> Iterator[str]:
    for _, message, _, _ in extract_from_file(
        "jinja2.ext:babel_extract", str(path), keywords={"t": None, "in_every_language": None}
    ):
        yield message if isinstance(message, str) else message[0]


def words() -> dict[str, set[str]]:
    """Every text a person may read, with the files it stands in (relative, POSIX)."""
    found: dict[str, set[str]] = {}
    for folder, pattern, read in (
        *((each, "*.html", _template) for each in _TEMPLATES),
        *((each, "*.py", _python) for each in _PYTHON),
    ):
        for path in sorted(folder.rglob(pattern)):
            for text in read(path):
                found.setdefault(text, set()).add(path.relative_to(ROOT).as_posix())
    return found


def wanted(locale: str, found: dict[str, set[str]]) -> set[str]:
    """The texts this language must have: all of them in English, elsewhere what a resident may meet."""
    if locale in STAFF_LOCALES:
        return set(found)
    return {text for text, files in found.items() if not all(_STAFF.search(file) for file in files)}


def catalogue(locale: str) -> Path:
    """The file of a language."""
    return TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"


def read(locale: str) -> dict[str, str]:
    """Text by source text of a language; empty where there is no file yet."""
    path = catalogue(locale)
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file) if each.id and each.string}


def update(locale: str, found: dict[str, set[str]]) -> int:
    """Write the catalogue anew: every wanted text with what is translated already; returns how many are missing."""
    have = read(locale)
    fresh = Catalog(
        locale=locale if locale != "ja_Hira" else None, project="Madoguchi", version="1", fuzzy=False,
        header_comment="# Words of Madoguchi; the Japanese text is the key.", msgid_bugs_address="-",
        last_translator="Madoguchi", language_team="Madoguchi", creation_date=_DATED, revision_date=_DATED,
    )  # fmt: skip
    missing = 0
    for text in sorted(wanted(locale, found)):
        fresh.add(text, have.get(text, ""), locations=[(file, 0) for file in sorted(found[text])])
        missing += text not in have
    path = catalogue(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, fresh, width=110, omit_header=False, sort_output=True, include_lineno=False)
    return missing


def main() -> None:
    """Update all catalogues and print what is missing."""
    found = words()
    for locale in LOCALES:
        print(f"{locale}: {update(locale, found)} of {len(wanted(locale, found))} to translate")  # noqa: T201


if __name__ == "__main__":
    main()
