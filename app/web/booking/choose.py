"""Choosing: what for, which day, which time. Each a page with its own address; nothing is held yet."""

from datetime import date, timedelta
from functools import partial
from typing import Any

from babel.dates import format_skeleton
from flask import redirect, render_template, request, url_for
from markupsafe import Markup

from app.domain.booking import HOLD_LASTS
from app.domain.calendar import era_year
from app.domain.errors import DomainError, InvalidInput
from app.domain.roles import Function
from app.domain.slots import LineRules
from app.services import catalogue
from app.web import security
from app.web.booking.calendar import Days, first_of_month, next_month
from app.web.booking.frame import Wanted, asked, asked_day, asked_party, blueprint, today, told_by
from app.web.errors import sentence
from app.web.formats import weekdays
from app.web.limits import limit_public
from app.web.locale import LANGUAGES, language, ruby


def month_words(month: date) -> Markup:
    """令和8年(2026年)4月; April 2026 elsewhere."""
    code = language()
    if code in ("ja", "ja-Hira"):
        era, year = era_year(month)
        said = f"{era}{year}年({month.year}年){month.month}月"
        return ruby(said if code == "ja" else f"{month.year}年《ねん》{month.month}月《がつ》")
    return ruby(str(format_skeleton("yMMMM", month, locale=LANGUAGES[code][0])))


@blueprint.get("/o/<office>/book")
@security.policy(Function.PUBLIC)
@limit_public("look")
def services(office: str) -> Any:
    """What can be booked here, what can be done beside it, and how many come."""
    with security.database().snapshot() as session:
        found = catalogue.office(session, office)
        groups: dict[str, list[Any]] = {}
        beside: list[Any] = []
        for each in catalogue.services(session, office, at=security.now()):
            if each.service.bookable and each.category.booking:
                groups.setdefault(each.category.id, []).append(each)
            elif each.category.web_ticket and not each.category.booking_only:
                beside.append(each)
        return render_template(
            "booking/services.html", office=found, groups=list(groups.values()), beside=beside,
            most=_largest_party(groups), missing=request.args.get("missing"), chosen=request.args.getlist("s"),
            party=asked_party(),
        )  # fmt: skip


def _largest_party(groups: dict[str, list[Any]]) -> int:
    """How many people one of the lines takes at once, at most."""
    rules = [LineRules.read(group[0].category.booking) for group in groups.values()]
    return max((each.most_party for each in rules), default=1)


@blueprint.get("/o/<office>/book/days")
@security.policy(Function.PUBLIC)
@limit_public("look")
def days(office: str) -> Any:
    """The calendar of a wish."""
    chosen = request.args.getlist("s")
    again = partial(url_for, "booking.services", office=office, s=chosen, party=request.args.get("party"))
    if not chosen:
        return redirect(again(missing=1), 303)
    with security.database().snapshot() as session:
        try:
            wish = asked(session, catalogue.office(session, office))
        except InvalidInput as error:
            if error.reason != "not_bookable":
                raise
            # Certificates alone: said on the page where one is added.
            return redirect(again(missing="beside"), 303)
        return draw_days(Days(session, wish, at=security.now()), wish, address=wish.address, back=again())


def draw_days(found: Days, wish: Wanted, *, address: Any, back: str, **more: Any) -> str:
    """The calendar page, for a new booking or one that is moved."""
    least, most = first_of_month(found.today), first_of_month(found.last)
    soonest = found.soonest
    month = min(max(first_of_month(asked_day("month", soonest.day if soonest else found.today)), least), most)
    weeks = found.weeks(month)
    previous = first_of_month(month - timedelta(days=1))
    return render_template(
        "booking/days.html", office=wish.office, wanted=wish, address=address, back=back, weeks=weeks, soonest=soonest,
        quiet=found.quietest(), month_words=month_words(month), weekdays=weekdays(),
        before=previous if previous >= least else None, after=next_month(month) if next_month(month) <= most else None,
        has_crowd=any(cell and cell.crowd for week in weeks for cell in week), told_by=told_by(),
        **{"moving": False} | more,
    )  # fmt: skip


@blueprint.get("/o/<office>/book/times")
@security.policy(Function.PUBLIC)
@limit_public("look")
def times(office: str) -> Any:
    """The times of a day; a day without a free one leads to what else can be done."""
    with security.database().snapshot() as session:
        wish = asked(session, catalogue.office(session, office))
        found = Days(session, wish, at=security.now())
        day = asked_day("day", today())
        if found.summary(day).any and not found.summary(day).free:
            return redirect(wish.address("full", day=day.isoformat()), 303)
        return draw_times(found, wish, day, address=wish.address)


def draw_times(
    found: Days, wish: Wanted, day: date, *, address: Any, refused: DomainError | None = None, **more: Any
) -> str:
    """The page of a day's times, with why a time was not given, if it was not."""
    said = sentence(refused.reason, dict(refused.values)) if refused else None
    return render_template(
        "booking/times.html", office=wish.office, wanted=wish, address=address, day=day, rows=found.rows(day),
        halves=found.full_halves(day), before=found.neighbour(day, -1), after=found.neighbour(day, 1), refused=said,
        key=security.fresh_secret(), hold_minutes=int(HOLD_LASTS.total_seconds() // 60), told_by=told_by(),
        **{"moving": False} | more,
    )  # fmt: skip
