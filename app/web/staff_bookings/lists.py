"""A day's bookings on the screen, on paper and as a file; and finding a person."""

import csv
import io
from datetime import timedelta
from typing import Any

from flask import Response, redirect, render_template, request, url_for

from app.domain.booking import State
from app.domain.calendar import business_date
from app.domain.errors import InvalidInput, TooMany
from app.domain.roles import Function
from app.domain.sheets import row as cells
from app.models.booking import Booking
from app.services import booking_desk, booking_search
from app.services.booking_desk import DayRow
from app.services.booking_search import By
from app.web import security
from app.web.booking.frame import sealer
from app.web.errors import sentence
from app.web.formats import local_short
from app.web.locale import pick, plain, t
from app.web.staff_bookings import panel
from app.web.staff_bookings.frame import (
    REASONS,
    blueprint,
    can,
    day_of,
    figures,
    look,
    number,
    offices,
    places,
    within,
)

# The filter of those who should be at the door now, in the place of a line.
SOON = "soon"
_TEN_MINUTES = timedelta(minutes=10)
_BY = (
    (By.REFERENCE, "予約番号"),
    (By.NUMBER, "番号札"),
    (By.PHONE, "電話番号"),
    (By.EMAIL, "メール"),
    (By.NAME, "お名前"),
)


@blueprint.get("")
@security.policy(Function.SEE_BOOKINGS)
def show() -> Any:
    """The own office's day."""
    with security.database().snapshot() as session:
        found = offices(session)
    return redirect(url_for("staff_bookings.day", office=found[0].id))


@blueprint.get("/<office>/day")
@security.policy(Function.SEE_BOOKINGS)
def day(office: str) -> str:
    """The bookings of a day, one of them at the side."""
    wanted, line, chosen = day_of(), request.args.get("line"), number("booking")
    with security.database().snapshot() as session:
        found = within(session, office, Function.SEE_BOOKINGS)
        rows = booking_desk.day_list(session, office_id=office, day=wanted, sealer=sealer())
        known = places(session, rows)
        counts = [
            {"category": each, "count": sum(row.category == name for row in rows)} for name, each in known.items()
        ]
        soon = [row for row in rows if _comes_soon(row)]
        side = next((row for row in rows if row.id == chosen), None)
        return render_template(
            "staff/bookings_day.html", office=found, offices=offices(session), day=wanted, places=known, lines=counts,
            rows=soon if line == SOON else [row for row in rows if line in (None, row.category)], line=line,
            figures=figures(rows), soon=len(soon), chosen=side, today=business_date(security.now()),
            panel=panel.of(session, session.get_one(Booking, side.id), sensitive=side.sensitive) if side else None,
            before=wanted - timedelta(days=1), following=wanted + timedelta(days=1), said=_said(), refused=None,
            base={"office": office, "day": wanted.isoformat(), "line": line}, may_book=can(Function.BOOK),
            may_edit=can(Function.EDIT_SLOTS) or can(Function.MOVE_BOOKINGS), may_look=can(Function.BOOK),
        )  # fmt: skip


def _comes_soon(row: DayRow) -> bool:
    """Expected within ten minutes, or late by as much, and not here yet."""
    return row.state is State.BOOKED and abs(row.start - security.now()) <= _TEN_MINUTES


def _said() -> Any:
    done = {"booked": t("予約をとりました。"), "moved": t("時刻を変えました。"), "cancelled": t("取り消しました。"),
            "checked_in": t("受付しました。")}  # fmt: skip
    return done.get(request.args.get("done", ""))


@blueprint.get("/<office>/paper")
@security.policy(Function.SEE_BOOKINGS)
def paper(office: str) -> str:
    """The list for paper."""
    with security.database().snapshot() as session:
        found, wanted = within(session, office, Function.SEE_BOOKINGS), day_of()
        rows = booking_desk.day_list(session, office_id=office, day=wanted, sealer=sealer())
        return render_template(
            "staff/bookings_paper.html", office=found, day=wanted, rows=rows, places=places(session, rows)
        )


@blueprint.get("/<office>/list.csv")
@security.policy(Function.SEE_BOOKINGS)
def csv_file(office: str) -> Response:
    """The list as a file for a spreadsheet: masked like the screen, no cell that would run as a formula."""
    with security.database().snapshot() as session:
        within(session, office, Function.SEE_BOOKINGS)
        wanted = day_of()
        rows = booking_desk.day_list(session, office_id=office, day=wanted, sealer=sealer())
        known = places(session, rows)
        out = io.StringIO()
        sheet = csv.writer(out)
        heads = ("日", "時刻", "予約番号", "お名前", "受付区分", "手続き", "人数", "状態", "番号札")
        sheet.writerow(cells(plain(t(head)) for head in heads))
        for row in rows:
            names = "・".join(plain(pick(dict(name))) for name in row.names)
            line = plain(pick(known[row.category].name))
            sheet.writerow(cells((wanted.isoformat(), local_short(row.start), row.reference, row.person.name, line,
                                  names, row.party, row.state, row.number or "")))  # fmt: skip
    # Excel takes a file without the mark for Shift JIS.
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="bookings-{office}-{wanted.isoformat()}.csv"'
    return response


@blueprint.get("/<office>/find")
@security.policy(Function.SEE_BOOKINGS)
def find(office: str) -> str:
    """The search, empty."""
    return _found_page(office, rows=None)


@blueprint.post("/<office>/find")
@security.policy(Function.SEE_BOOKINGS)
def found(office: str) -> Any:
    """What has exactly this value; that it was looked for is written down."""
    by = request.form.get("by", "")
    try:
        with security.database().transaction() as session:
            within(session, office, Function.SEE_BOOKINGS)
            if by not in set(By):
                raise InvalidInput("search_too_short", field="by")
            rows = booking_search.find(
                session, office_id=office, by=By(by), typed=request.form.get("value", ""), look=look(),
                sealer=sealer(), at=security.now(),
            )  # fmt: skip
            ids = [row.id for row in rows]
    except (InvalidInput, TooMany) as error:
        return _found_page(office, rows=None, by=by, refused=sentence(error.reason, dict(error.values))), 422
    return _found_page(office, rows=ids, by=by)


def _found_page(office_id: str, *, rows: list[int] | None, by: str = "reference", refused: Any = None) -> str:
    with security.database().snapshot() as session:
        office = within(session, office_id, Function.SEE_BOOKINGS)
        bookings = [session.get_one(Booking, each) for each in rows or ()]
        shown = booking_desk.rows_of(session, bookings, sealer())
        return render_template(
            "staff/bookings_find.html", office=office, rows=None if rows is None else shown, by=by, refused=refused,
            days={each.id: each.business_date for each in bookings}, kinds=[(name, t(label)) for name, label in _BY],
            reasons=[(name, t(label)) for name, label in REASONS[:-1]],
        )  # fmt: skip
