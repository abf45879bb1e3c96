"""Files of counts as they come: spellings, gaps, duplicates, the future; a sentence for each, never a trace."""

import gzip
import math
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from app.commands.forecast_backtest import backtest_
from forecasting import backtest, columns, readings

# Wall time, as a file has it.
NOW = datetime.fromisoformat("2026-06-01")
START = datetime.fromisoformat("2026-04-01")


def file(tmp_path: Path, text: str, name: str = "counts.csv") -> Path:
    path = tmp_path / name
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    return path


def rows(days: int = 3, step: int = 60) -> list[str]:
    return [f"{START + timedelta(minutes=step * n)},{n % 5}" for n in range(days * 24 * 60 // step)]


@pytest.mark.parametrize("head", ["ts,count", "ts,calls", "Timestamp,visits", "date,value", "\ufeffts,count"])
@pytest.mark.parametrize("name", ["counts.csv", "counts.csv.gz"])
def test_heads_of_many_spellings_and_gzip(tmp_path: Path, head: str, name: str) -> None:
    found = readings.read(file(tmp_path, "\n".join([head, *rows()]), name), now=NOW)
    assert (found.series.days, found.series.slots, found.series.first) == (3, 24, date(2026, 4, 1))
    assert found.notes == ()


def test_a_file_without_a_head_and_with_other_separators(tmp_path: Path) -> None:
    bare = readings.read(file(tmp_path, "\n".join(rows())), now=NOW)
    tabs = readings.read(file(tmp_path, "\n".join(["ts\tcount", *(r.replace(",", "\t") for r in rows())])), now=NOW)
    assert (bare.series.counts == tabs.series.counts).all()


def test_six_minutes_are_summed_to_thirty(tmp_path: Path) -> None:
    path = file(tmp_path, "\n".join(["ts,count", *rows(2, 6)]))
    found = readings.read(path, interval_min=30, now=NOW).series
    assert found.counts[0, 0] == 0 + 1 + 2 + 3 + 4
    with pytest.raises(readings.BadFile, match="multiple"):
        readings.read(path, interval_min=20, now=NOW)


def test_seconds_are_summed_to_minutes(tmp_path: Path) -> None:
    text = "\n".join(["ts,count", *(f"{START + timedelta(seconds=10 * n)},1" for n in range(2 * 8640))])
    found = readings.read(file(tmp_path, text), interval_min=30, now=NOW).series
    assert (found.counts == 180).all()


def test_what_is_odd_is_said_and_the_rest_is_kept(tmp_path: Path) -> None:
    odd = ["2026-04-01 03:00:00,9", "2026-04-02 05:00:00,NaN", "2026-04-02 06:00:00,-3", "2026-04-02 07:00:00,many",
           "2031-01-01 00:00:00,4", "some day,4", "", "2026-04-03 01:00:00"]  # fmt: skip
    kept = [row for row in rows() if not row.startswith("2026-04-02 10")]
    found = readings.read(file(tmp_path, "\n".join(["ts,count", *kept, *odd])), now=NOW)
    assert found.series.counts[0, 3] == 9
    assert np.isnan(found.series.counts[1, [5, 6, 7, 10]]).all()
    said = " ".join(found.notes)
    assert all(word in said for word in ("already given", "no number", "future", "without a time", "gaps"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no columns"),
        ("a,b\n1,2\n", "names no columns"),
        ("ts,count\n", "no row"),
        ("ts,count\n2026-04-01 00:00:00,1\n", "one row"),
        ("ts,count\n2026-04-01 00:00:00,1\n2026-04-01 00:00:07,1\n", "seconds"),
        ("ts,count\nx,1\n", "no row"),
        ("ts,count\n2026-04-01,1\n2026-04-08,1\n2026-04-15,1\n", "7 days apart"),
    ],
)
def test_a_file_that_is_none_ends_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(readings.BadFile, match=said):
        readings.read(file(tmp_path, text), now=NOW)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x00\xff\x81")
    with pytest.raises(readings.BadFile, match="UTF-8"):
        readings.read(path, now=NOW)
    path.write_bytes(b"\x1f\x8b broken")
    with pytest.raises(readings.BadFile, match="gzip"):
        readings.read(path, now=NOW)


def test_a_head_in_any_words_is_read_by_its_rows(tmp_path: Path) -> None:
    plain = readings.read(file(tmp_path, "\n".join(["ts,count", *rows()])), now=NOW).series
    semicolons = "\n".join(["Datum;Anzahl", *(row.replace(",", ";") for row in rows())])
    assert (readings.read(file(tmp_path, semicolons), now=NOW).series.counts == plain.counts).all()
    path = tmp_path / "excel.csv"
    path.write_bytes("\n".join(["日時,件数", *rows()]).encode("cp932"))
    assert (readings.read(path, now=NOW).series.counts == plain.counts).all()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1,234", 1234),
        ("1,234,567.5", 1234567.5),
        ("1 234", 1234),
        ("1'234", 1234),
        ("3,5", 3.5),
        (" 7 ", 7),
        ("-0", 0),
    ],
)
def test_a_count_as_the_world_writes_it(text: str, count: float) -> None:
    assert columns.number(text) == count


@pytest.mark.parametrize("text", ["", "-", "-1", "inf", "nan", "1e300", "1,2,3", "七"])
def test_what_is_no_count(text: str) -> None:
    assert math.isnan(columns.number(text))


def test_a_row_of_another_age_does_not_make_a_table_of_millennia(tmp_path: Path) -> None:
    found = readings.read(file(tmp_path, "\n".join(["ts,count", "0001-01-01 00:00:00,4", *rows()])), now=NOW)
    assert found.series.days == 3
    assert "1 row more than" in found.notes[0]


def test_a_file_of_several_queues_has_a_series_for_each_over_the_same_days(tmp_path: Path) -> None:
    lines = [
        f"{office},{line},{START.date() + timedelta(days=day)},{minute},1"
        for office, line, days in (("a", "1", 3), ("a", "2", 2), ("b", "1", 1))
        for day in range(days)
        for minute in range(540, 600, 5)
    ]
    found = readings.read(file(tmp_path, "\n".join(["office,svc_id,day,min,arrivals", *lines])), now=NOW)
    assert list(found.lines) == [("a", "1"), ("a", "2"), ("b", "1")]
    assert {each.counts.shape for each in found.lines.values()} == {(3, 48)}
    assert [float(np.nansum(each.counts)) for each in found.lines.values()] == [36, 24, 12]


def test_several_queues_are_judged_together_and_lean_on_their_office(tmp_path: Path) -> None:
    chance = np.random.default_rng(2)
    text = ["office,svc_id,day,min,arrivals"] + [
        f"{office},{line},{START.date() + timedelta(days=day)},{minute},{chance.poisson(line * (1 + minute // 600))}"
        for office in ("a", "b")
        for line in (1, 2)
        for day in range(16)
        for minute in range(540, 720, 30)
    ]
    found = readings.read(file(tmp_path, "\n".join(text)), now=NOW)
    heard: list[str] = []
    judged = backtest.run(found.lines, heard=heard.append, methods=("sn4", "cold"))
    assert (judged.lines, heard, judged.left_out) == (4, ["sn4", "cold"], {})
    baseline, cold = judged.methods
    assert cold.score.wape < baseline.score.wape
    assert (cold.chosen, baseline.chosen) == (True, False)
    assert judged.midday is not None


@pytest.mark.parametrize("name", ["hour", "Hour_of_day", "時"])
def test_a_day_and_an_hour_in_columns_of_their_own(tmp_path: Path, name: str) -> None:
    text = [f"date,{name},visits", *(f"2026-04-0{day},{hour},{hour % 7}" for day in (1, 2, 3) for hour in range(24))]
    found = readings.read(file(tmp_path, "\n".join(text)), now=NOW)
    assert (found.series.days, found.series.slots, found.notes) == (3, 24, ())
    assert found.series.counts[1, 8] == 1


def test_an_hour_beside_a_whole_time_is_not_added_to_it(tmp_path: Path) -> None:
    text = ["ts,hour,count", *(f"{row.split(',')[0]},{n % 24},{n % 5}" for n, row in enumerate(rows()))]
    assert (readings.read(file(tmp_path, "\n".join(text)), now=NOW).series.counts[0, :5] == range(5)).all()


def test_seconds_since_1970_are_times(tmp_path: Path) -> None:
    first = int((START - datetime.fromisoformat("1970-01-01")).total_seconds())
    text = ["ts,count", *(f"{first + 3600 * n},{n % 5}" for n in range(72))]
    found = readings.read(file(tmp_path, "\n".join(text)), now=NOW)
    assert (found.series.days, found.series.first) == (3, date(2026, 4, 1))
    assert columns.when("2026040109") is None
    assert columns.when("20260401") == START


@pytest.mark.parametrize(
    "spelling",
    ["%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%Y年%m月%d日 %H:%M", "令和8年%m月%d日 %H:%M", "%Y%m%d%H%M",
     "%Y-%m-%dT%H:%M:%S+09:00", "%Y-%m-%dT%H:%M:%SZ"],
)  # fmt: skip
def test_times_as_the_world_and_japanese_forms_write_them(tmp_path: Path, spelling: str) -> None:
    times = [START + timedelta(hours=hour) for hour in range(20 * 24)]
    text = ["ts,count", *(f"{at.strftime(spelling)},{n % 5}" for n, at in enumerate(times))]
    found = readings.read(file(tmp_path, "\n".join(text)), now=NOW).series
    assert (found.first, found.counts.shape, found.counts[19, 4]) == (START.date(), (20, 24), (19 * 24 + 4) % 5)


def test_milliseconds_since_1970_are_times_too(tmp_path: Path) -> None:
    first = int((START - datetime.fromisoformat("1970-01-01")).total_seconds())
    text = ["ts,count", *(f"{1000 * (first + 3600 * n)},{n % 5}" for n in range(72))]
    assert readings.read(file(tmp_path, "\n".join(text)), now=NOW).series.first == START.date()
    # A date out of its first eight digits and a clock out of the rest is what the standard library would make of it.
    assert columns.when("1772101200000") != datetime.fromisoformat("1772-10-12T00:00")


def thousands(count: str, head: str = "ts,count") -> list[str]:
    return [head, *(f"{row.split(',')[0]}{head[2]}{count if n % 2 else 900}" for n, row in enumerate(rows()))]


@pytest.mark.parametrize(
    "text",
    [thousands("1,234"), thousands('"1,234"'), thousands("1.234", "ts;count"), thousands("1\u202f234"),
     thousands("１２３４")],
)  # fmt: skip
def test_thousands_with_and_without_quotes_dots_and_wide_digits(tmp_path: Path, text: list[str]) -> None:
    found = readings.read(file(tmp_path, "\n".join(text)), now=NOW).series
    assert found.counts[0, :4].tolist() == [900, 1234, 900, 1234]


def test_dots_are_no_thousands_where_one_count_says_otherwise(tmp_path: Path) -> None:
    text = [*thousands("1.234", "ts;count"), "2026-04-03 00:00:00;1.5"]
    assert readings.read(file(tmp_path, "\n".join(text)), now=NOW).series.counts[0, 1] == 1.234


def test_a_guess_is_said_and_a_column_that_counts_rows_is_not_it(tmp_path: Path) -> None:
    wide = ["date,0:00,1:00", *(f"2026-04-0{day},3,4" for day in (1, 2, 3))]
    assert "column 2 was taken" in readings.read(file(tmp_path, "\n".join(wide)), now=NOW).notes[0]
    numbered = [",when,load", *(f"{n},{row}" for n, row in enumerate(rows()))]
    found = readings.read(file(tmp_path, "\n".join(numbered)), now=NOW)
    assert (found.series.counts[0, :5].tolist(), found.notes) == ([0, 1, 2, 3, 4], ())


def test_remarks_before_the_head_and_ends_of_lines_of_any_system(tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        text = end.join(["# exported", "", "ts,count", *rows()])
        assert readings.read(file(tmp_path, text), now=NOW).series.days == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (["ts,count", *(row.split(",")[0] + ",0" for row in rows(40))], "nobody was counted"),
        (["ts,count", *(row.split(",")[0] + ",-4" for row in rows(40))], "no number from 0 up"),
        (["ts,count", *rows(1)], "three days are needed"),
        (["ts,count", *(row.replace("2026", "2999") for row in rows(40))], "from the future"),
    ],
)
def test_the_command_ends_with_a_sentence(tmp_path: Path, text: list[str], said: str) -> None:
    found = CliRunner().invoke(backtest_, [str(file(tmp_path, "\n".join(text)))])
    assert found.exit_code == 1
    assert isinstance(found.exception, SystemExit)
    assert said in found.output
