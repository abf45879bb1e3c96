"""The places of a day: blocked, opened, or the whole day moved with a message to everyone touched."""

from collections.abc import Callable
from datetime import date, time
from typing import Any

from flask import render_template, request

from app.domain.booking import spoken_reference
from app.domain.calendar import business_date, instant
from app.domain.errors import Conflict, DomainError, InvalidInput
from app.domain.roles import Function
from app.models.booking import Booking
from app.services import booking_cells, booking_days
from app.services.booking_days import Shift
from app.web import security
from app.web.errors import sentence
from app.web.locale import t
from app.web.staff_bookings.frame import blueprint, can, day_of, within

_WHY = (("weather", "天気(台風・大雪など)"), ("system_failure", "システムの故障"), ("closure", "臨時の休み"),
        ("other", "そのほか"))  # fmt: skip


@blueprint.get("/<office>/slots")
@security.policy(Function.SEE_BOOKINGS)
def slots(office: str) -> str:
    """The places of each line on a day."""
    return _page(office, day_of(), Function.SEE_BOOKINGS)


def _page(office_id: str, day: date, function: Function, *, said: Any = None, refused: Any = None) -> str:
    at = security.now()
    with security.database().snapshot() as session:
        office = within(session, office_id, function)
        lines = booking_cells.lines(session, office_id)
        shift = Shift(office_id=office_id, day=day, until=day, reason="other")
        cells = [
            (line, booking_cells.of_day(session, office_id=office_id, category_id=line.id, day=day)) for line in lines
        ]
        return render_template(
            "staff/bookings_slots.html", office=office, day=day, lines=lines, said=said, refused=refused,
            cells=[(line, rows) for line, rows in cells if rows], may_edit=can(Function.EDIT_SLOTS),
            may_move=can(Function.MOVE_BOOKINGS), count=len(booking_days.touched(session, shift, at=at)),
            key=security.fresh_secret(), today=business_date(at), reasons=[(name, t(label)) for name, label in _WHY],
        )  # fmt: skip


@blueprint.post("/<office>/slots")
@security.policy(Function.EDIT_SLOTS)
def changed(office: str) -> Any:
    """Set the places of a line for some hours."""
    return _done(office, _set_places, Function.EDIT_SLOTS)


@blueprint.post("/<office>/move-day")
@security.policy(Function.MOVE_BOOKINGS)
def day_moved(office: str) -> Any:
    """Shut the day and give everyone another time."""
    return _done(office, _move_day, Function.MOVE_BOOKINGS)


def _done(office_id: str, work: Callable[[str, date], Any], function: Function) -> Any:
    day = day_of()
    try:
        said = work(office_id, day)
    except (Conflict, InvalidInput) as error:
        return _page(office_id, day, function, refused=_why(error)), 409
    return _page(office_id, day, function, said=said)


def _why(error: DomainError) -> Any:
    named = error.values.get("references")
    words = sentence(error.reason, dict(error.values))
    return f"{words} {'、'.join(spoken_reference(str(each)) for each in named)}" if isinstance(named, list) else words


def _set_places(office_id: str, day: date) -> Any:
    try:
        first, last = (instant(day, time.fromisoformat(request.form.get(name, ""))) for name in ("from", "to"))
        given = request.form.get("places", "").strip()
        capacity = int(given) if given else None
    except ValueError:
        raise InvalidInput("bad_clock") from None
    with security.database().transaction() as session:
        within(session, office_id, Function.EDIT_SLOTS)
        count = booking_cells.set_places(
            session, office_id=office_id, category_id=request.form.get("line", ""), first=first, last=last,
            capacity=capacity,
        )  # fmt: skip
    return t("%(n)s個の枠を変えました。", n=count)


def _move_day(office_id: str, day: date) -> Any:
    """Shut the day, then give each booking another time, some at a time so that the hall goes on meanwhile."""
    shift = Shift(office_id=office_id, day=day, until=day_of("until"), reason=request.form.get("reason", ""))
    with security.database().transaction() as session:
        within(session, office_id, Function.MOVE_BOOKINGS)
        booking_days.shut(session, shift, at=security.now())
    moved, unplaced = 0, list[int]()
    while True:
        with security.database().transaction() as session:
            found = booking_days.move(session, shift, actor=security.caller().actor, at=security.now(), skip=unplaced)
        moved, unplaced = moved + len(found.moved), unplaced + found.unplaced
        if not found.left:
            break
    if not unplaced:
        return t("%(n)s件を動かしました。", n=moved)
    with security.database().snapshot() as session:
        named = [spoken_reference(session.get_one(Booking, each).reference or "") for each in unplaced]
    return t("%(n)s件を動かしました。入りきらなかった予約: %(references)s", n=moved, references="、".join(named))
