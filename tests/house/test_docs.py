"""The pages for people are true: the reference is the code's, every link leads somewhere, every command is one."""

import re
from pathlib import Path

import click
import pytest

from config.settings import Settings
from tests import reference

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
KNOWN = {tuple(words[1:]): command for words, command in reference.every_command()}


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_is_the_codes(name: str) -> None:
    assert (reference.FOLDER / name).read_text() == reference.PAGES[name](), "run make reference"


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_commands_in_the_text_are_commands(name: str) -> None:
    """``madoguchi …`` with its options, as they stand in the text."""
    for line in re.findall(r"(?:^|`|/)(madoguchi [a-z][^`\n#|]*)", (ROOT / name).read_text(), re.M):
        words = line.split()[1:]
        found = next((KNOWN[tuple(words[:n])] for n in (3, 2, 1) if tuple(words[:n]) in KNOWN), None)
        assert found is not None, line
        options = {each for option in found.params if isinstance(option, click.Option) for each in option.opts}
        given = {each.strip("[]") for each in words if each.strip("[]").startswith("--")}
        assert given <= options, line


@pytest.mark.parametrize("name", NAMES)
def test_files_in_the_text_are_there(name: str) -> None:
    for path in re.findall(
        r"`((?:app|config|displays|scheduler|forecasting|docs|tests)/[\w/.]+\.\w+)`", (ROOT / name).read_text()
    ):
        assert (ROOT / path).exists(), path
