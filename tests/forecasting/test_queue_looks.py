"""Waits read from looks at a queue; the real file too, where it lies beside the repository."""

import gzip
from datetime import date
from pathlib import Path

import pytest

from app.domain.wait_history import score
from forecasting import queue_looks, waits
from forecasting.queue_looks import BadFile, Look

DAY = date(2026, 4, 1)
REAL = Path(__file__).parents[3] / "shared" / "data" / "warsaw_queues_5min.csv.gz"
HEAD = "ts,office,svc_id,letter,service,open,svc_min,counters,waiting,called,num\n"


def test_the_wait_of_the_last_in_line_ends_when_its_number_was_called() -> None:
    looks = [Look(480, 4, 1), Look(485, 5, 3), Look(490, 3, 5), Look(495, 0, 8)]
    first, second, third = queue_looks.waits(looks, "a", DAY)
    assert (first.queue_ahead, first.actual_min) == (3, 10)
    assert (second.queue_ahead, second.actual_min, second.last_wait_min) == (4, 10, 5)
    assert (third.queue_ahead, third.actual_min, third.last_wait_min) == (2, 5, 10)
    figures = queue_looks.figures(looks, [first, second, third], "a", DAY)
    assert (figures.calls, figures.busy_min, figures.wait_sum_min) == (7, 15, 25)


def test_a_number_never_called_is_no_wait() -> None:
    assert list(queue_looks.waits([Look(480, 9, 1), Look(485, 9, 2)], "a", DAY)) == []


def test_an_old_number_called_again_is_not_news_and_a_new_count_begins_a_new_stretch() -> None:
    again = [Look(480, 2, 40), Look(485, 2, 38), Look(490, 1, 42)]
    assert [[look.num for look in part] for part in queue_looks.parts(again)] == [[40, 40, 42]]
    anew = [Look(480, 2, 90), Look(485, 2, 1), Look(490, 1, 3)]
    assert [[look.num for look in part] for part in queue_looks.parts(anew)] == [[90], [1, 3]]


def test_a_gap_in_the_record_is_no_busy_time() -> None:
    looks = [Look(480, 4, 1), Look(600, 4, 30), Look(605, 4, 32)]
    figures = queue_looks.figures(looks, [], "a", DAY)
    assert (figures.calls, figures.busy_min) == (2, 5)


def test_files_are_read_plain_and_packed(tmp_path: Path) -> None:
    text = HEAD + "".join(
        f"2026-04-01 08:{minute:02}:00,north,7,A,A: x,1,10,1,{waiting},A{num:03},{num}.0\n"
        for minute, waiting, num in ((0, 3, 1), (5, 2, 3), (10, 0, 5))
    )
    plain, packed = tmp_path / "q.csv", tmp_path / "q.csv.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert queue_looks.read(plain) == queue_looks.read(packed)
    cases, days = queue_looks.read(plain)["north"]
    assert [(case.queue_ahead, case.actual_min) for case in cases] == [(2, 10), (1, 5)]
    assert days[0].calls == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "line 1: no column num, office, svc_id, ts, waiting"),
        (b"", "no column"),
        (b"\x1f\x8bnot gzip", "gzip"),
        (b"\xff\xfe\x00", "UTF-8"),
        (HEAD.encode() + b"yesterday,n,7,A,x,1,10,1,3,A001,1\n", "line 2"),
        (HEAD.encode() + b"2026-04-01 08:00:00,n,7,A,x,1,10,1,many,A001,1\n", "line 2"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    with pytest.raises(BadFile, match=said):
        queue_looks.read(file)


@pytest.mark.skipif(not REAL.exists(), reason="SKIPPED: the recorded municipal queues are not beside the repository")
def test_recorded_municipal_queues_are_told_within_the_bars() -> None:
    """Mean error at most 12.5 minutes; 80 % ranges cover 76 to 84 %, and 75 % with ten or more ahead."""
    told = [each for cases, days in queue_looks.read(REAL).values() for _, each in waits.rehearse(cases, days, 0.5)]
    found = score(told)
    assert found.n > 30_000
    assert found.mae is not None
    assert found.mae <= 12.5
    assert found.cover is not None
    assert 0.76 <= found.cover <= 0.84
    assert found.cover_ten is not None
    assert found.cover_ten >= 0.75
