"""A report as a table: its columns, its cells in words, and CSV that a spreadsheet takes as text and numbers only."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.calendar import WEEKDAYS
from app.domain.report import Row
from app.web.locale import pick, plain, t

BOM = "﻿"
_WEEKDAY_WORDS = ("月曜", "火曜", "水曜", "木曜", "金曜", "土曜", "日曜")
_CHANNELS: Mapping[str, str] = {
    "kiosk": "受付機",
    "web": "スマホ",
    "staff": "職員",
    "api": "ほかのシステム",
    "booking": "予約",
    "imported": "取り込んだ記録",
}
# A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``code`` heads the CSV of programs, ``label`` (Japanese source) the screen's; ``digits`` after the point."""

    code: str
    label: str
    of: Callable[[Row], float | None]
    digits: int = 0
    percent: bool = False
    unit: str = ""


COLUMNS: Sequence[Column] = (
    Column(code="visits", label="来庁", of=lambda row: row.visits, unit="件"),
    Column(code="steps", label="手続き", of=lambda row: row.steps, unit="件"),
    Column(code="served", label="対応済み", of=lambda row: row.served, unit="件"),
    Column(code="missed", label="不在", of=lambda row: row.missed, unit="件"),
    Column(code="wait_mean_min", label="平均の待ち", of=lambda row: row.wait_mean, digits=1, unit="分"),
    Column(code="wait_median_min", label="まん中の人", of=lambda row: row.wait_median, digits=1, unit="分"),
    Column(code="wait_90_min", label="10人に9人", of=lambda row: row.wait_nine, digits=1, unit="分"),
    Column(code="wait_longest_min", label="最も長い待ち", of=lambda row: row.wait_longest, digits=1, unit="分"),
    Column(code="service_mean_min", label="対応の平均", of=lambda row: row.service_mean, digits=1, unit="分"),
    Column(code="within_target", label="目標の内", of=lambda row: row.within, digits=3, percent=True, unit="%"),
    Column(code="booked", label="予約", of=lambda row: row.booked, unit="件"),
    Column(
        code="bookings_kept", label="予約の時刻を守った割合", of=lambda row: row.kept, digits=3, percent=True, unit="%"
    ),
    Column(code="feedback_good", label="よかった", of=lambda row: row.good, unit="件"),
    Column(code="feedback_fair", label="ふつう", of=lambda row: row.fair, unit="件"),
    Column(code="feedback_bad", label="こまった", of=lambda row: row.bad, unit="件"),
)


def shown(column: Column, row: Row) -> str:
    """The cell as people read it: ``81`` of a share, ``14.2`` minutes, a dash where nothing is known."""
    value = column.of(row)
    if value is None:
        return "–"
    if column.percent:
        return f"{value * 100:.0f}"
    return f"{value:,.{column.digits}f}"


def key_words(report: str, key: str, names: Mapping[str, Mapping[str, Any]]) -> str:
    """What a key stands for, in the reader's language; the key itself where it is a name already."""
    kinds, parts = report.split("-"), key.split("|")
    return " ".join(_part(kind, part, names) for kind, part in zip(kinds, parts, strict=False))


def _part(kind: str, part: str, names: Mapping[str, Mapping[str, Any]]) -> str:
    if kind in names and part in names[kind]:
        return plain(pick(names[kind][part]))
    if kind == "hours":
        return plain(t("%(n)s時台", n=int(part)))
    if kind == "weekdays" and part.isdigit() and 1 <= int(part) <= len(WEEKDAYS):
        return plain(t(_WEEKDAY_WORDS[int(part) - 1]))
    if kind == "channels":
        return plain(t(_CHANNELS.get(part, part)))
    if kind == "counters":
        return plain(t("%(n)s番窓口", n=part))
    return part


def csv_text(report: str, rows: Iterable[Row], names: Mapping[str, Mapping[str, Any]], *, excel: bool) -> str:
    """The report as CSV. ``excel``: with a byte order mark and headings in words, as Excel in Japan opens it."""
    out = io.StringIO()
    if excel:
        out.write(BOM)
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [f"{plain(t(column.label))}({plain(t(column.unit))})" if excel else column.code for column in COLUMNS]
    writer.writerow([plain(t("区分")) if excel else "key", plain(t("名前")) if excel else "name", *heads])
    for row in rows:
        cells = [_number(column, row) for column in COLUMNS]
        writer.writerow([harmless(row.key), harmless(key_words(report, row.key, names)), *cells])
    return out.getvalue()


def _number(column: Column, row: Row) -> str:
    value = column.of(row)
    return "" if value is None else f"{value:.{column.digits}f}"


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
