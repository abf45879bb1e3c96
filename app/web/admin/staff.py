"""Staff and roles: who there is, one person's facts, a new one, and what waits for a second administrator."""

import secrets
from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy.orm import Session

from app.domain.errors import DomainError
from app.domain.roles import Function, Role
from app.models.people import Account
from app.services import access, approvals, people, second_factor
from app.services.access import Principal
from app.web import off_loop, security
from app.web.admin import typed
from app.web.admin.frame import NUMBER, REFUSALS, act, blueprint, key, offices_within, page, refused
from app.web.staff_frame import ROLE_NAMES

# No signs that are mistaken for others when a password is read from paper.
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
_FIELDS = ("login", "name", "section", "role", "office")


def one_time_password() -> str:
    """Twelve signs in groups of four, some 59 bits, to be read out once."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(3))


def _form() -> dict[str, str]:
    """The fields of the form; whatever else was sent is not read."""
    return {name: request.form.get(name, "") for name in _FIELDS}


def _facts(form: dict[str, str]) -> dict[str, Any]:
    return {
        "name": form["name"], "section": form["section"], "role": form["role"],
        "office_id": typed.words(form["office"]) or None,
    }  # fmt: skip


def _shown(
    session: Session, *, member: Account | None = None, form: dict[str, str] | None = None,
    error: DomainError | None = None, password: str | None = None, of: Account | None = None, **more: Any,
) -> Response:  # fmt: skip
    who, at = security.caller(), security.now()
    search = request.args.get("q", "")[:60]
    waiting = approvals.waiting(session, who, at=at)
    everybody = people.listed(session, who, at=at)
    if member is not None and form is None:
        form = {"login": member.login, "name": member.name, "section": member.section, "role": member.role}
        form["office"] = member.office_id or ""
    return page(
        session, "staff", area="staff", error=error, search=search, member=member, form=form, password=password,
        password_of=of, rows=people.listed(session, who, search=search, at=at) if search else everybody,
        everybody=everybody, waiting=waiting, names={row.account.id: row.account for row in everybody},
        since=second_factor.since(session, member.id) if member else None, roles=ROLE_NAMES,
        tries=people.slowed(session, who, at=at), sets_password=approvals.sets_password, **more,
    )  # fmt: skip


@blueprint.get("/staff")
@security.policy(Function.MANAGE_PEOPLE)
def staff() -> Response:
    """The list, and the form of a new account (``new``)."""
    with security.database().snapshot() as session:
        empty = None
        if "new" in request.args:
            offices = offices_within(session, security.caller())
            empty = dict.fromkeys(_FIELDS, "") | {"role": Role.CLERK, "office": offices[0].id if offices else ""}
        return _shown(session, form=empty)


@blueprint.get(f"/staff/<{NUMBER}:account>")
@security.policy(Function.MANAGE_PEOPLE)
def member(account: int) -> Response:
    """One person."""
    with security.database().snapshot() as session:
        return _shown(session, member=people.find(session, security.caller(), account))


def _again(error: DomainError, account: int | None, form: dict[str, str] | None = None) -> Response:
    """The form as it was sent, with what was wrong."""
    if not refused(error):
        raise error
    with security.database().snapshot() as session:
        found = people.find(session, security.caller(), account) if account is not None else None
        return _shown(session, member=found, form=form, error=error)


def _handed_out(account_id: int, password: str) -> Response:
    """The one time the password is shown; it is stored nowhere."""
    with security.database().snapshot() as session:
        found = people.find(session, security.caller(), account_id)
        return _shown(session, member=found, password=password, of=found)


def _password() -> tuple[str, str]:
    """A one-time password and its hash, made off the loop and outside every transaction."""
    password = one_time_password()
    return password, off_loop.run(access.hash_password, password)


@blueprint.post("/staff")
@security.policy(Function.MANAGE_PEOPLE)
def staff_add() -> Any:
    """Add an account; its one-time password is shown once, or a second administrator is asked."""
    form, (password, hashed) = _form(), _password()

    def work(session: Session, who: Principal, at: datetime) -> people.Outcome:
        facts = _facts(form) | {"login": form["login"]}
        return people.add(session, by=who, password_hash=hashed, at=at, key=key(), **facts)

    try:
        made = act(work)
    except REFUSALS as error:
        return _again(error, None, form)
    if made.waiting is not None:
        return redirect(url_for("admin.member", account=made.account.id, done="asked"), 303)
    return _handed_out(made.account.id, password)


@blueprint.post(f"/staff/<{NUMBER}:account>")
@security.policy(Function.MANAGE_PEOPLE)
def member_change(account: int) -> Any:
    """Change name, section, role and office."""
    form = _form()

    def work(session: Session, who: Principal, at: datetime) -> people.Outcome:
        return people.change(session, by=who, account_id=account, at=at, key=key(), **_facts(form))

    try:
        made = act(work)
    except REFUSALS as error:
        return _again(error, account, form)
    return redirect(url_for("admin.member", account=account, done="asked" if made.waiting else "saved"), 303)


@blueprint.post(f"/staff/<{NUMBER}:account>/close")
@security.policy(Function.MANAGE_PEOPLE)
def member_close(account: int) -> Any:
    """End the account and its sessions."""
    try:
        act(lambda session, who, at: people.close(session, by=who, account_id=account, at=at, key=key()))
    except REFUSALS as error:
        return _again(error, account)
    return redirect(url_for("admin.member", account=account, done="closed"), 303)


@blueprint.post(f"/staff/<{NUMBER}:account>/password")
@security.policy(Function.MANAGE_PEOPLE)
def member_password(account: int) -> Any:
    """A new one-time password; opens a closed account again."""
    password, hashed = _password()

    def work(session: Session, who: Principal, at: datetime) -> people.Outcome:
        return people.new_password(session, by=who, account_id=account, password_hash=hashed, at=at, key=key())

    try:
        made = act(work)
    except REFUSALS as error:
        return _again(error, account)
    if made.waiting is not None:
        return redirect(url_for("admin.member", account=account, done="asked"), 303)
    return _handed_out(account, password)


@blueprint.post(f"/staff/<{NUMBER}:account>/lift")
@security.policy(Function.MANAGE_PEOPLE)
def member_lift(account: int) -> Any:
    """Forget the wrong tries of a person who is held up by them."""
    act(lambda session, who, at: people.lift(session, by=who, account_id=account, at=at, key=key()))
    return redirect(url_for("admin.member", account=account, done="lifted"), 303)


@blueprint.post(f"/staff/<{NUMBER}:account>/factor")
@security.policy(Function.MANAGE_PEOPLE)
def member_factor(account: int) -> Any:
    """Take away the second factor of somebody who lost it."""
    try:
        act(lambda session, who, at: second_factor.reset(session, by=who, account_id=account, at=at, key=key()))
    except REFUSALS as error:
        return _again(error, account)
    return redirect(url_for("admin.member", account=account, done="factor"), 303)


@blueprint.post(f"/staff/approvals/<{NUMBER}:approval>/<any(approve, decline):verdict>")
@security.policy(Function.MANAGE_PEOPLE)
def approval(approval: int, verdict: str) -> Any:
    """The second person's word."""
    password, hashed = _password() if verdict == "approve" else ("", "")

    def work(session: Session, who: Principal, at: datetime) -> Any:
        if verdict == "decline":
            return approvals.decline(session, by=who, approval_id=approval, at=at, key=key())
        return approvals.approve(session, by=who, approval_id=approval, password_hash=hashed, at=at, key=key())

    try:
        found = act(work)
    except REFUSALS as error:
        return _again(error, None)
    if verdict == "approve" and approvals.sets_password(found.act):
        return _handed_out(found.account_id, password)
    return redirect(url_for("admin.member", account=found.account_id, done=f"{verdict}d"), 303)
