"""The acts of the pad as plain forms: one transaction each, one effect for the form's key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.roles import Function
from app.domain.ticket import Action
from app.models.place import Counter
from app.models.ticket import Step, Ticket
from app.services import access, catalogue, counters, desk_acts, events, notes, queue, requests
from app.web import security
from app.web.api.steps import own_counter
from app.web.desk import seat, words
from app.web.locale import t

# Minutes of a break that may be chosen.
BREAKS = (10, 15, 30, 45, 60)
_NOTHING_MORE: Mapping[str, "Callable[[Press], str]"] = MappingProxyType({})
_ON_STEP = frozenset(
    {Action.RECALL, Action.START, Action.FINISH, Action.MISS, Action.PARK, Action.READY, Action.REJOIN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One press of a key: who, at which counter, with which fields of the form, when, under which key."""

    session: Session
    who: access.Principal
    counter: Counter
    form: Mapping[str, str]
    at: datetime
    key: str

    def integer(self, name: str) -> int:
        """A field that holds the id of a step or minutes; raises InvalidInput."""
        text = self.form.get(name, "")
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise InvalidInput(fields=[name])
        return int(text)

    def step(self, name: str = "step") -> Step:
        """The step a field names; raises NotFound for one of another office."""
        return desk_acts.step_at(self.session, self.integer(name), self.counter.office_id)

    def number(self, step: Step) -> str:
        """The number of a step's ticket."""
        return self.session.get_one(Ticket, step.ticket_id).number


def perform(form: Mapping[str, str], more: Mapping[str, Callable[["Press"], str]] = _NOTHING_MORE) -> str:
    """Do what the form asks at the own counter; returns what was done in one sentence. ``more``: acts of other rooms.

    Raises Conflict("no_counter") for whoever sits at none, and what the act refuses.
    """
    who, at, asked = seat.clerk(), security.now(), security.idempotency()
    name, _, making = form.get("action", "").partition(":")
    work = _WORK.get(name) or more.get(name)
    # What stands behind the colon: the step of a certificate, the way of paying, a fee.
    form = {**form, "action": name} | ({"making": making} if making else {})
    if work is None:
        raise InvalidInput(fields=["action"])
    with security.database().transaction() as session:
        counter = seat.own(session, who)
        if counter is None:
            raise Conflict("no_counter")
        access.require(session, who, Function.CALL, office_id=counter.office_id, counter_id=counter.id)
        events.lock_office(session, counter.office_id)
        press = Press(session=session, who=who, counter=counter, form=form, at=at, key=asked.key)
        found, _ = requests.once(session, asked, at=at, work=lambda: {"said": work(press)})
    return str(found["said"])


def _call_next(press: Press) -> str:
    called = queue.call_next(
        press.session, counter_id=press.counter.id, actor=press.who.actor, at=press.at, request_key=press.key
    )
    return str(words.said("call-next", press.number(called[0])) if called else words.said("nobody"))


def _call(press: Press) -> str:
    step = queue.call_number(
        press.session, counter_id=press.counter.id, number=press.form.get("number", "")[:20],
        actor=press.who.actor, at=press.at, request_key=press.key,
    )  # fmt: skip
    return str(words.said("call", press.number(step)))


def _act(press: Press, step: Step, action: Action, service_id: str | None = None) -> str:
    queue.act(
        press.session, step_id=step.id, action=action, actor=press.who.actor, at=press.at, request_key=press.key,
        counter_id=own_counter(press.session, press.who, action), service_id=service_id,
    )  # fmt: skip
    return str(words.said(action, press.number(step)))


def _on_step(press: Press) -> str:
    action = Action(press.form["action"])
    return _act(press, press.step("making" if action is Action.READY else "step"), action)


def _transfer(press: Press) -> str:
    """To a procedure; whoever chose only the line means its first one."""
    service = press.form.get("service")
    if not service:
        offered = catalogue.services(press.session, press.counter.office_id, at=press.at)
        wanted = press.form.get("category")
        service = next((each.service.id for each in offered if each.category.id == wanted), None)
    if service is None:
        raise NotFound(what="service")
    step = press.step()
    done = _act(press, step, Action.TRANSFER, service)
    if press.form.get("note"):
        notes.write(press.session, step, typed=press.form["note"], actor=press.who.actor, at=press.at,
                    counter_id=press.counter.id)  # fmt: skip
    return done


def _note(press: Press) -> str:
    notes.write(press.session, press.step(), typed=press.form.get("note", ""), actor=press.who.actor, at=press.at,
                counter_id=press.counter.id)  # fmt: skip
    return str(t("メモを残しました。閉庁時に消えます。") if press.form.get("note") else t("メモを消しました。"))


def _help(press: Press) -> str:
    wanted = press.counter.help_since is None
    counters.ask_help(
        press.session, counter_id=press.counter.id, wanted=wanted, actor=press.who.actor, at=press.at,
        request_key=press.key,
    )  # fmt: skip
    return str(t("フロア責任者に応援をたのみました。") if wanted else t("応援の依頼を取り消しました。"))


def _miss_next(press: Press) -> str:
    step = press.step()
    called = desk_acts.miss_and_next(
        press.session, counter_id=press.counter.id, step_id=step.id, actor=press.who.actor, at=press.at,
        request_key=press.key,
    )  # fmt: skip
    missed = words.said("miss", press.number(step))
    return f"{missed} {words.said('call-next', press.number(called[0]))}" if called else str(missed)


def _undo(press: Press) -> str:
    if press.form.get("undo_action") not in {action.value for action in words.LAST}:
        raise Conflict("undo_gone")
    desk_acts.undo(
        press.session, counter_id=press.counter.id, step_id=press.integer("undo_step"),
        action=Action(press.form["undo_action"]), actor=press.who.actor, at=press.at, request_key=press.key,
    )  # fmt: skip
    return str(words.said("undo"))


def _cancel(press: Press) -> str:
    ticket = desk_acts.cancel_number(
        press.session, office_id=press.counter.office_id, number=press.form.get("number", "")[:20],
        actor=press.who.actor, at=press.at, request_key=press.key,
    )  # fmt: skip
    return str(words.said("cancel", ticket.number))


def _confirm(press: Press) -> str:
    ticket = desk_acts.confirm_number(
        press.session, office_id=press.counter.office_id, number=press.form.get("number", "")[:20],
        actor=press.who.actor, at=press.at, request_key=press.key,
    )  # fmt: skip
    return str(words.said("confirm", ticket.number))


def _pause(press: Press) -> str:
    minutes, counter = press.integer("minutes"), press.counter
    if minutes not in BREAKS:
        raise InvalidInput(fields=["minutes"])
    begun = max(counter.back_at or press.at, press.at) if counter.state == "paused" else press.at
    counters.pause_counter(
        press.session, counter_id=counter.id, actor=press.who.actor, at=press.at, request_key=press.key,
        back_at=begun + timedelta(minutes=minutes),
    )  # fmt: skip
    return str(t("休憩中です。ここからは番号を呼びません。"))


def _resume(press: Press) -> str:
    counter = press.counter
    counters.open_counter(
        press.session, counter_id=counter.id, actor=press.who.actor, at=press.at, profile_id=counter.profile_id,
        categories=None if counter.profile_id else [line["category"] for line in counter.lines],
        staff_id=press.who.id, staff_name=press.who.name, request_key=press.key,
    )  # fmt: skip
    return str(t("%(n)s番窓口を開きました。", n=counter.number))


def _leave(press: Press) -> str:
    desk_acts.get_up(press.session, press.who, token=seat.token(), at=press.at, request_key=press.key)
    return str(t("%(n)s番窓口を閉じて、退席しました。", n=press.counter.number))


_WORK: Mapping[str, Callable[[Press], str]] = {
    "call-next": _call_next, "call": _call, "transfer": _transfer, "miss-next": _miss_next, "undo": _undo,
    "cancel": _cancel, "confirm": _confirm, "pause": _pause, "resume": _resume, "leave": _leave,
    "note": _note, "help": _help,
    **{action.value: _on_step for action in _ON_STEP},
}  # fmt: skip
