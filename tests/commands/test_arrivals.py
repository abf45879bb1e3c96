"""Arrivals read from files: a display of called numbers jumps and goes dark, and nobody is counted twice for it."""

from pathlib import Path

import click
import pytest

from app.commands import arrivals

HEAD = "ts,office,svc_id,letter,service,open,svc_min,counters,waiting,called,num\n"


def looks(tmp_path: Path, *seen: str, counters: str = "2", office: str = "Hall") -> Path:
    """A file of looks at one queue, five minutes apart: ``waiting/number``, the number may be empty."""
    rows = []
    for place, each in enumerate(seen):
        waiting, number = each.split("/")
        at = f"2020-01-07 {8 + place * 5 // 60:02d}:{place * 5 % 60:02d}:00"
        rows.append(f"{at},{office},17,A,A: sprawy,1,10,{counters},{waiting},A{number},{number}")
    path = tmp_path / "queues.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    ("seen", "came"),
    [
        # Who waits at the first look has come; numbers called before it are not known.
        (["3/10", "3/10"], 3),
        (["3/10", "2/14", "5/15"], 10),
        # A dark display is not number 0, and what was called meanwhile is told when it is lit again.
        (["10/138", "8/", "6/142"], 10),
        (["10/138", "10/", "10/141"], 13),
        # A number of those with a booking among the others: neither the way there nor the way back is people.
        (["10/24", "10/905", "10/26"], 12),
        (["10/24", "10/905", "10/26", "10/907"], 14),
        # Called again: a lower number for a moment.
        (["10/24", "10/22", "10/24"], 10),
        # The queue shrinks before the display follows; nobody new has come.
        (["10/24", "9/24", "9/25", "8/25", "8/26"], 10),
        # The row of numbers begins again.
        (["4/480", "2/1", "2/3"], 4),
        (["0/", "0/"], 0),
    ],
)
def test_people_between_two_looks(tmp_path: Path, seen: list[str], came: int) -> None:
    path = looks(tmp_path, *seen)
    if not came:
        with pytest.raises(click.ClickException, match="nobody arrives"):
            arrivals.read(path, pick=None, day=None)
        return
    assert len(arrivals.read(path, pick=None, day=None)) == came


def test_they_come_before_the_look_that_sees_them(tmp_path: Path) -> None:
    path = looks(tmp_path, "0/10", "0/10", "4/10")
    found = arrivals.read(path, pick="Hall", day="2020-01-07")
    assert all(8 * 60 + 5 <= each.minute <= 8 * 60 + 10 for each in found)
    assert found == arrivals.read(path, pick="Hall", day="2020-01-07")


def test_a_bad_row_is_named(tmp_path: Path) -> None:
    path = looks(tmp_path, "1/1", "x/2")
    with pytest.raises(click.ClickException, match="line 3"):
        arrivals.read(path, pick=None, day=None)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no rows"), ("service,issued_at\n", "no rows"), ("a,b\n1,2\n", "columns a, b are not known"),
     ("service,issued_at\nx,morning\n", "line 2"),
     ("office,svc_id,day,min,arrivals\nH,1,2020-01-07,480,many\n", "line 2")],
)  # fmt: skip
def test_what_cannot_be_played(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(text)
    with pytest.raises(click.ClickException, match=said):
        arrivals.read(path, pick=None, day=None)


def test_our_own_history_and_counts_by_interval(tmp_path: Path) -> None:
    own, counts = tmp_path / "own.csv", tmp_path / "counts.csv"
    own.write_text(
        "service,issued_at,called_at,finished_at\n"
        "juminhyo,2026-04-01T09:00:00,2026-04-01T09:04:00,2026-04-01T09:10:30\n"
        "tennyu,2026-04-01T08:45:00,,\n"
    )
    found = arrivals.read(own, pick=None, day=None)
    assert [(each.service, each.minute, each.minutes) for each in found] == [
        ("tennyu", 525.0, None), ("juminhyo", 540.0, 6.5)
    ]  # fmt: skip
    counts.write_text("office,svc_id,day,min,arrivals\nH,1,2020-01-07,485,3.0\nG,1,2020-01-07,485,0\n")
    assert len(arrivals.read(counts, pick="H", day=None)) == 3
