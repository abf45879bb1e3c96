"""The month's report: what a section chief reads first, by day and by line, and every other table of the span."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import report as figures
from app.domain.calendar import business_date, era_year
from app.domain.errors import NotFound
from app.domain.feedback import Verdict, topics
from app.domain.report import Row
from app.domain.roles import Function
from app.models.place import Category, Office
from app.paper import press
from app.services import advice_record, feedback, forecasts, practice, reports, wait_learning
from app.web import off_loop, security
from app.web.feedback import TOPICS, VERDICTS
from app.web.locale import pick, plain, t
from app.web.manage.forecast import off
from app.web.manage.frame import blueprint, chosen, offices
from app.web.report_table import COLUMNS, key_words, shown

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_BAR_WIDTH, _BAR_GAP, _CHART_HEIGHT = 26, 5, 240
TABLES = (("categories", "受付区分"), ("services", "手続き"), ("hours", "時間"), ("weekdays", "曜日"),
          ("counters", "窓口"), ("sections", "課"), ("channels", "入口"), ("days", "日"),
          ("hours-services", "時間×手続き"),
          ("hours-services-counters-sections", "時間×手続き×窓口×課"))  # fmt: skip
GOOD_SHARE, FAIR_SHARE = 0.8, 0.7
# Who sets a seal on the paper, and what its figures mean.
_STAMPS = ("課長", "係長", "担当")
_TERMS = (
    "来庁は番号札の枚数、手続きはその中の用件の数です。",
    "待ちは、番号を取ってから最後に呼ばれるまで。予約の人は予約の時刻からです。",
    "10人に9人は、短い順に並べて9割目の人の待ちです。まん中の人は中央値です。",
    "目標の内は、受付区分ごとの目標時間までに呼ばれた人の割合です。",
    "斜線と▲の日は、平均の待ちが目標を超えた日です。個人の情報は含みません。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A day of the chart, in its units; ``over``: the mean wait was above the target."""

    day: date
    x: float
    height: float
    visits: int
    wait: float | None
    over: bool


def _month(text: str | None, today: date) -> date:
    """The first day of the month of the address; of this month without one. Raises NotFound."""
    if text is None:
        return today.replace(day=1)
    found = _MONTH.fullmatch(text)
    if found is None:
        raise NotFound(what="month")
    return date(int(found[1]), int(found[2]), 1)


def _next(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def lamp(share: float | None) -> str:
    """The mark of a share within the target: free, busy, crowd; off where nothing is known."""
    if share is None:
        return "off"
    return "free" if share >= GOOD_SHARE else "busy" if share >= FAIR_SHARE else "crowd"


def _bars(rows: Sequence[Row], target: float) -> tuple[list[Bar], int]:
    """The chart and the visits its top stands for."""
    top = max((row.visits for row in rows), default=0)
    scale = max(-(-top // 50) * 50, 50)
    bars = [
        Bar(day=date.fromisoformat(row.key), x=number * (_BAR_WIDTH + _BAR_GAP) + 40,
            height=round(row.visits / scale * _CHART_HEIGHT, 1), visits=row.visits, wait=row.wait_mean,
            over=row.wait_mean is not None and row.wait_mean > target)
        for number, row in enumerate(rows)
    ]  # fmt: skip
    return bars, scale


def _read(session: Session, office: Office, first: date) -> dict[str, Any]:
    """Everything the month's page and its print show."""
    last = _next(first) - timedelta(days=1)
    found = reports.facts(session, office.id, first, last)
    said = feedback.said(session, office.id, first, last)
    before = reports.facts(session, office.id, *_year_before(first))
    lines = session.scalars(select(Category).where(Category.office_id == office.id).order_by(Category.position)).all()
    days = figures.rows(found, figures.REPORTS["days"])
    target = max((line.target_minutes for line in lines), default=20)
    bars, scale = _bars(days, target)
    by_line = {row.key: row for row in figures.rows(found, figures.REPORTS["categories"])}
    return {
        "office": office, "first": first, "last": last, "era": era_year(first),
        "head": feedback.together(reports.heads(found), said), "said": said,
        "named": {each: topics(said, each) for each in Verdict}, "verdicts": VERDICTS, "topics": TOPICS,
        "before": reports.heads(before) if before else None, "bars": bars, "scale": scale, "target": target,
        "lines": [(line, by_line[line.id]) for line in lines if line.id in by_line], "facts": found,
        "names": reports.names(session, office.id), "told": wait_learning.report(session, office.id, at=security.now()),
        "forecast": forecasts.errors(session, office_id=office.id, since=first, until=_next(first)),
        "longest": max((row for row in days if row.wait_longest), key=lambda row: row.wait_longest or 0, default=None),
    }  # fmt: skip


def _year_before(first: date) -> tuple[date, date]:
    begin = first.replace(year=first.year - 1)
    return begin, _next(begin) - timedelta(days=1)


@blueprint.get("/reports", endpoint="reports")
@security.policy(Function.READ_REPORTS)
def show() -> str:
    """The month as a page; ``?month=2026-04&table=services``."""
    today = business_date(security.now())
    first = _month(request.args.get("month"), today)
    table = request.args.get("table", "services")
    if table not in dict(TABLES):
        raise NotFound(what="report")
    with security.database().snapshot() as session:
        office = chosen(session, Function.READ_REPORTS)
        read = _read(session, office, first)
        rows = feedback.beside(table, figures.rows(read.pop("facts"), figures.REPORTS[table]), read["said"])
        return render_template(
            "manage/report.html", **read, off=off(read["forecast"]), rows=rows, table=table, tables=TABLES,
            columns=COLUMNS, shown=shown,
            advised=advice_record.of_days(session, office.id, first, read["last"], at=security.now()),
            key_words=key_words, lamp=lamp, reach=offices(session), month=f"{first:%Y-%m}",
            earlier=f"{first - timedelta(days=1):%Y-%m}",
            later=f"{_next(first):%Y-%m}" if _next(first) <= today else "",
            chart_height=_CHART_HEIGHT, bar_width=_BAR_WIDTH,
            chart_width=len(read["bars"]) * (_BAR_WIDTH + _BAR_GAP) + 48,
        )  # fmt: skip


@blueprint.get("/reports.pdf", endpoint="report_pdf")
@security.policy(Function.READ_REPORTS)
def printed() -> Response:
    """The month on one sheet of A4, to hand upward."""
    first = _month(request.args.get("month"), business_date(security.now()))
    with security.database().snapshot() as session:
        office = chosen(session, Function.READ_REPORTS)
        values = _sheet(_read(session, office, first))
    body = off_loop.run(press.pdf, "report", values)
    response = Response(body, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{office.id}-{first:%Y-%m}.pdf"'
    return response


def _sentences(read: dict[str, Any]) -> list[str]:
    """What is said upward, in words: how many came, how long they waited, how far the forecast was off."""
    head, missed, told = read["head"], off(read["forecast"]), read["told"]
    made_up = practice.span(read["office"])
    found = [t("練習用のデータです(作りもので、この庁舎の記録ではありません)。")] if made_up else []
    found += [t("%(visits)s件の来庁がありました。", visits=f"{head.visits:,}")]
    if head.wait_mean is not None:
        found.append(t("待ちは平均%(n)s分でした。", n=f"{head.wait_mean:.0f}"))
    if head.within is not None:
        found.append(t("目標の時間の内に呼べたのは%(n)s%%でした。", n=f"{head.within * 100:.0f}"))
    if missed is not None:
        found.append(t("来庁の予測は、1日あたり%(n)s%%外れました。", n=f"{missed * 100:.0f}"))
    if told["cover"] is not None:
        found.append(t("案内した待ち時間の幅は、%(n)s%%が当たりました。", n=f"{told['cover'] * 100:.0f}"))
    return [plain(each) for each in found]


def _sheet(read: dict[str, Any]) -> dict[str, Any]:
    head, (era, year) = read["head"], read["era"]
    return {
        "title": plain(t("月の報告")), "office": plain(pick(read["office"].name)),
        "month": f"{era}{year}年{read['first'].month}月",
        "western": f"{read['first']:%Y-%m-%d} – {read['last']:%Y-%m-%d}", "sentences": _sentences(read),
        "stamps": [plain(t(each)) for each in _STAMPS], "terms": [plain(t(each)) for each in _TERMS],
        "terms_title": plain(t("数のかぞえ方")),
        "heads": [[plain(t(column.label)), shown(column, head), plain(t(column.unit))] for column in COLUMNS],
        "columns": [plain(t("受付区分")), *(plain(t(column.label)) for column in COLUMNS[:10])],
        "rows": [[plain(pick(line.name)), *(shown(column, row) for column in COLUMNS[:10])]
                 for line, row in read["lines"]],
        "days": [[f"{bar.day.day}", str(bar.visits), "" if bar.wait is None else f"{bar.wait:.0f}", bar.over]
                 for bar in read["bars"]],
        "days_title": plain(t("日ごとの件数")),
        "days_note": plain(t("棒の上は平均の待ち(分)。斜線は目標を超えた日")),
        "none": plain(t("この月の記録は、まだありません。")),
    }  # fmt: skip
