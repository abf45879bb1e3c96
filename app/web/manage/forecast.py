"""How well forecasts did: days as they were told and as they came, each line's method, and the waits residents read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import render_template

from app.domain.calendar import business_date
from app.domain.roles import Function
from app.services import forecast_record, forecasts, wait_learning
from app.services.forecasts import DayError
from app.web import security
from app.web.manage.frame import blueprint, chosen, day_asked, offices

JUDGED_DAYS = 28
METHODS = {
    "sn4": "同じ曜日4週の平均", "sn1": "先週の同じ曜日", "cold": "庁舎全体の形をかりた平均",
    "level": "日の流れと時間の形", "hybrid": "Prophet(暦)と時間の形", "glm": "暦の回帰と時間の形",
    "trees": "決定木", "mean": "4つの方法の平均",
}  # fmt: skip
FAILURES = {
    "timeout": "時間切れ", "memory": "メモリーの上限", "no_history": "記録がまだありません", "defect": "計算の失敗",
}  # fmt: skip
_LEFT, _STEP, _TOP, _TALL = 44, 60, 16, 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Days as bars of who came and a line of who was expected, in the drawing's units."""

    bars: Sequence[tuple[float, float, float, date]]
    line: str
    width: int
    top: int


def chart(days: Sequence[DayError]) -> Chart:
    """The drawing of the judged days."""
    most = max(max(day.expected, day.came) for day in days)
    top = max(10, -(-int(most + 1) // 50) * 50)
    xs = [_LEFT + _STEP * (number + 0.5) for number in range(len(days))]

    def y(value: float) -> float:
        return round(_TOP + _TALL * (1 - value / top), 1)

    return Chart(
        bars=[(x, y(day.came), round(_TOP + _TALL - y(day.came), 1), day.day) for x, day in zip(xs, days, strict=True)],
        line=" ".join(f"{x},{y(day.expected)}" for x, day in zip(xs, days, strict=True)),
        width=_LEFT + _STEP * len(xs) + 8, top=top,
    )  # fmt: skip


def off(days: Sequence[DayError]) -> float | None:
    """The error of the days in all, a share of those who came; None without any."""
    came = sum(day.came for day in days)
    return sum(abs(day.expected - day.came) for day in days) / came if came else None


@blueprint.get("/forecast", endpoint="forecast")
@security.policy(Function.READ_REPORTS)
def show() -> str:
    """The last four weeks of an office; ``?office=ward``."""
    at = security.now()
    today = business_date(at)
    with security.database().snapshot() as session:
        office = chosen(session, Function.READ_REPORTS)
        days = forecasts.errors(session, office_id=office.id, since=today - timedelta(days=JUDGED_DAYS), until=today)
        lines = forecast_record.of_lines(session, office.id, at=at)
        return render_template(
            "manage/forecast.html", office=office, reach=offices(session), days=days, off=off(days), lines=lines,
            age=forecasts.age(session, office_id=office.id, at=at), methods=METHODS, failures=FAILURES,
            chart=chart(days) if days else None, judged_days=JUDGED_DAYS,
            waits=wait_learning.report(session, office.id, at=at), tomorrow=day_asked(session, office, at),
        )  # fmt: skip
