"""The dials of a line: a recorded day played again under others, both groups' waits side by side, then the switch."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.blend import Group
from app.domain.errors import InvalidInput, NotFound
from app.domain.roles import Function
from app.models.place import Category, Office
from app.services import audit, requests, what_if
from app.services.what_if import Compared
from app.web import security
from app.web.manage.frame import blueprint, chosen, offices

# The dials a manager turns; the others of what_if.DIALS belong to the catalogue.
TURNED = ("allowance", "early_window", "late_penalty")
ALLOWANCES = (0, 30, 60, 90)
_MOST = 240


@blueprint.get("/dials", endpoint="dials")
@security.policy(Function.READ_REPORTS)
def show() -> str:
    """``?line=ward-moving&date=2026-04-02&allowance=60``: that day under these dials, beside those of now."""
    at = security.now()
    with security.database().snapshot() as session:
        office = chosen(session, Function.READ_REPORTS)
        lines = _lines(session, office)
        line = _line(lines)
        now = what_if.own_dials(line)
        tried = now | _typed(request.args)
        days = what_if.days(session, line.id, at=at)
        day = _day(days)
        found = _compared(session, line, day, tried) if day else []
        return render_template(
            "manage/dials.html", office=office, reach=offices(session), lines=lines, line=line, now=now, tried=tried,
            turned=TURNED, days=days, day=day, compared=found[:2], most=_MOST,
            allowances=list(zip(ALLOWANCES, found[2:], strict=False)),
            differs=any(now[name] != tried[name] for name in TURNED), key=security.fresh_secret(),
            changed=request.args.get("changed") == "1",
        )  # fmt: skip


def _lines(session: Session, office: Office) -> Sequence[Category]:
    return session.scalars(select(Category).where(Category.office_id == office.id).order_by(Category.position)).all()


def _line(lines: Sequence[Category]) -> Category:
    wanted = request.args.get("line") or next((line.id for line in lines if line.booking), lines[0].id)
    found = next((line for line in lines if line.id == wanted), None)
    if found is None:
        raise NotFound(what="category")
    return found


def _day(days: Sequence[date]) -> date | None:
    """The day of the address; the newest without one, and for one to come, which other pages of planning show."""
    text = request.args.get("date")
    try:
        wanted = date.fromisoformat(text) if text else None
    except ValueError:
        raise NotFound(what="day") from None
    return wanted if wanted in days else days[0] if days else None


def _typed(given: Mapping[str, str], mark: str = "") -> dict[str, float]:
    """Whole minutes of a form or an address; raises InvalidInput("bad_range")."""
    found: dict[str, float] = {}
    for name in TURNED:
        text = given.get(mark + name, "").strip()
        if not text:
            continue
        if not (text.isascii() and text.isdigit() and int(text[:4]) <= _MOST):
            raise InvalidInput("bad_range", most=_MOST, fields=[name])
        found[name] = float(text)
    return found


def _compared(session: Session, line: Category, day: date, tried: Mapping[str, float]) -> list[Compared]:
    turned = {name: tried[name] for name in TURNED}
    settings = [turned, *({"allowance": float(allowance)} for allowance in ALLOWANCES)]
    return what_if.compare(session, office_id=line.office_id, category_id=line.id, day=day, settings=settings)


@blueprint.post("/dials", endpoint="switch_dials")
@security.policy(Function.EDIT_PLACE)
def switch() -> Any:
    """Set the dials for all who come from now on; in the audit log with what they were."""
    at, who = security.now(), security.caller()
    dials, seen = _typed(request.form), _typed(request.form, "seen_")
    with security.database().transaction() as session:
        office = chosen(session, Function.EDIT_PLACE)
        line = _line(_lines(session, office))

        def work() -> dict[str, Any]:
            changed = what_if.switch(session, office_id=office.id, category_id=line.id, dials=dials, seen=seen)
            if changed:
                audit.record(
                    session, municipality_id=who.municipality_id, actor=who.actor, action="dials_changed",
                    subject=f"category:{line.id}", at=at, key=audit.chain_key(current_app.config["SECRET_KEY"]),
                    details={"office": office.id, "changed": changed, "compared_day": request.form.get("day", "")[:10]},
                )  # fmt: skip
            return {"changed": bool(changed)}

        requests.once(session, security.idempotency(who.actor), at=at, work=work)
        address = url_for("manage.dials", office=office.id, line=line.id, date=request.form.get("day") or None,
                          changed=1)  # fmt: skip
    return redirect(address, 303)


def difference(before: Group | None, after: Group | None) -> dict[str, float] | None:
    """Minutes and share by which a group's waits change; None where nobody was of it."""
    if before is None or after is None:
        return None
    return {
        "mean": round(after.mean - before.mean, 1), "p90": round(after.p90 - before.p90, 1),
        "longest": round(after.longest - before.longest, 1),
        "within_10": round(100 * (after.within_10 - before.within_10)),
    }  # fmt: skip


@blueprint.app_template_global("wait_difference")
def _difference(before: Group | None, after: Group | None) -> dict[str, float] | None:
    return difference(before, after)
