"""The acts of a floor lead: one transaction each, one effect for the form's key, and how to take it back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.domain import alerts
from app.domain.calendar import parse_instant
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.roles import Function
from app.domain.ticket import Action
from app.models.place import Counter
from app.models.ticket import Step, Ticket
from app.services import access, advice_record, counters, desk_acts, events, floor, queue, requests, seen, staff_queue
from app.services.advice_record import Told
from app.web import security
from app.web.desk import words
from app.web.desk.acts import BREAKS
from app.web.lead.says import expectation
from app.web.locale import t

# On a step: what the table allows and a lead may do for a counter. Start and reopen are the clerk's.
ON_STEP = (
    Action.RECALL, Action.UNCALL, Action.MISS, Action.PARK, Action.REJOIN, Action.READY, Action.RETURN, Action.FINISH,
    Action.CANCEL,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One press: who, in which office, with which fields of the form, when, under which key."""

    session: Session
    who: access.Principal
    office_id: str
    form: Mapping[str, str]
    at: datetime
    key: str

    @property
    def by(self) -> dict[str, Any]:
        return {"actor": self.who.actor, "at": self.at, "request_key": self.key}

    def integer(self, name: str) -> int:
        """A field that holds an id or minutes; raises InvalidInput."""
        text = self.form.get(name, "")
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise InvalidInput(fields=[name])
        return int(text)

    def step(self) -> Step:
        """The step of the form; raises NotFound for one of another office."""
        return desk_acts.step_at(self.session, self.integer("step"), self.office_id)

    def number(self, step: Step) -> str:
        """The number of a step's ticket."""
        return self.session.get_one(Ticket, step.ticket_id).number

    def counter(self) -> Counter:
        """The counter of the form, as the screen showed it. Raises NotFound, Conflict("changed_meanwhile")."""
        found = self.session.get(Counter, self.form.get("counter", ""), populate_existing=True)
        if found is None or found.office_id != self.office_id:
            raise NotFound(what="counter")
        if self.form.get("expect") and self.form["expect"] != shown(found):
            raise Conflict("changed_meanwhile")
        return found


def shown(counter: Counter) -> str:
    """The counter as a screen would show it now."""
    since = counter.since.isoformat() if counter.since else None
    return expectation({"state": counter.state, "since": since})


Done = dict[str, Any]


def _done(said: object, undo: Mapping[str, str] | None = None) -> Done:
    return {"said": str(said), "undo": dict(undo) if undo else None}


def perform(office_id: str, form: Mapping[str, str]) -> Done:
    """Do what the form asks; returns ``{said, undo}``, undo being the form that takes it back, or None.

    Raises Forbidden for a role without the function, NotFound for another office, and what the act refuses.
    """
    who, at, asked = security.caller(), security.now(), security.idempotency()
    function, work = _WORK.get(form.get("action", ""), (None, None))
    if function is None or work is None:
        raise InvalidInput(fields=["action"])
    with security.database().transaction() as session:
        access.require(session, who, function, office_id=office_id)
        events.lock_office(session, office_id)
        press = Press(session=session, who=who, office_id=office_id, form=form, at=at, key=asked.key)
        found, _ = requests.once(session, asked, at=at, work=lambda: work(press))
    return found


def _was(counter: Counter) -> dict[str, str]:
    """The form that opens a counter as it is now; a closed one is closed again."""
    if counter.state == "closed":
        return {"action": "close", "counter": counter.id}
    if counter.state == "paused":
        return {}
    lines = "" if counter.profile_id else " ".join(line["category"] for line in counter.lines)
    return {"action": "open", "counter": counter.id, "profile": counter.profile_id or "", "categories": lines}


def _open(press: Press) -> Done:
    counter = press.counter()
    before, was = counter.state, _was(counter)
    profile = press.form.get("profile") or None
    categories = press.form.get("categories", "").split() or None
    if profile is None and categories is None and before == "paused":
        profile = counter.profile_id
        categories = None if profile else [line["category"] for line in counter.lines]
    counters.open_counter(
        press.session, counter_id=counter.id, profile_id=profile, categories=categories,
        staff_name=counter.staff_name, **press.by,
    )  # fmt: skip
    if press.form.get("advised"):
        _advised(press, counter)
    said = t("%(n)s番窓口の受け持ちを変えました。", n=counter.number) if before == "open" else t(
        "%(n)s番窓口を開きました。", n=counter.number
    )  # fmt: skip
    return _done(said, was | {"expect": shown(counter)} if was else None)


def _advised(press: Press, counter: Counter) -> None:
    """Keep what the screen told of this act; raises InvalidInput for what no screen tells."""
    now, *rest = [*press.form.get("told", "").split(","), "", "", "", ""][:4]
    if not all(each.isascii() and each.isdigit() and len(each) < 6 for each in (now or "0", *rest)):
        raise InvalidInput(fields=["told"])
    then, low, high = map(int, rest)
    advice_record.keep(
        press.session, office_id=press.office_id, counter_id=counter.id, category_id=press.form["advised"],
        begins=parse_instant(press.form.get("begins", ""), "begins"), actor=press.who.actor, at=press.at,
        told=Told(now=int(now) if now else None, then=then, low=low, high=high),
    )  # fmt: skip


def _pause(press: Press) -> Done:
    counter, minutes = press.counter(), press.integer("minutes")
    if minutes not in BREAKS:
        raise InvalidInput(fields=["minutes"])
    if counter.state == "closed":
        raise Conflict("counter_closed")
    was = _was(counter)
    counters.pause_counter(
        press.session, counter_id=counter.id, back_at=press.at + timedelta(minutes=minutes), **press.by
    )
    said = t("%(n)s番窓口を休止にしました。%(minutes)s分後に戻ります。", n=counter.number, minutes=minutes)
    return _done(said, was | {"expect": shown(counter)} if was else None)


def _close(press: Press) -> Done:
    counter = press.counter()
    # Who sat there has lost the seat with it; that cannot be given back from here.
    was = _was(counter) if counter.staff_id is None and counter.state == "open" else {}
    counters.close_counter(press.session, counter_id=counter.id, **press.by)
    said = t("%(n)s番窓口を閉じました。", n=counter.number)
    return _done(said, was | {"expect": shown(counter)} if was else None)


def _helped(press: Press) -> Done:
    counter = press.counter()
    counters.ask_help(press.session, counter_id=counter.id, wanted=False, **press.by)
    return _done(t("%(n)s番窓口の応援を済みにしました。", n=counter.number))


def _uncall(step: Step) -> dict[str, str]:
    return {"action": Action.UNCALL, "step": str(step.id)}


def _call_next(press: Press) -> Done:
    called = queue.call_next(press.session, counter_id=press.counter().id, **press.by)
    if called is None:
        return _done(words.said("nobody"))
    return _done(words.said("call-next", press.number(called[0])), _uncall(called[0]))


def _call(press: Press) -> Done:
    typed = press.form.get("number", "")[:20]
    step = queue.call_number(press.session, counter_id=press.counter().id, number=typed, **press.by)
    return _done(words.said("call", press.number(step)), _uncall(step))


def _on_step(press: Press) -> Done:
    step, action = press.step(), Action(press.form["action"])
    queue.act(press.session, step_id=step.id, action=action, reason="lead", **press.by)
    return _done(words.said(action, press.number(step)))


def _transfer(press: Press) -> Done:
    step = press.step()
    queue.act(
        press.session, step_id=step.id, action=Action.TRANSFER, service_id=press.form.get("service") or None,
        **press.by,
    )  # fmt: skip
    return _done(words.said(Action.TRANSFER, press.number(step)))


def _cancel_number(press: Press) -> Done:
    ticket = desk_acts.cancel_number(
        press.session, office_id=press.office_id, number=press.form.get("number", "")[:20], **press.by
    )
    return _done(words.said("cancel", ticket.number))


def _confirm_number(press: Press) -> Done:
    ticket = desk_acts.confirm_number(
        press.session, office_id=press.office_id, number=press.form.get("number", "")[:20], **press.by
    )
    return _done(words.said("confirm", ticket.number))


def _seen(press: Press) -> Done:
    """Take an alert: asked of the floor as it is under the lock, so that two leads do not both run."""
    view = staff_queue.read(press.session, office_id=press.office_id, at=press.at)
    found = alerts.find(floor.of_snapshot(press.session, view, at=press.at), press.at)
    alert = next((each for each in found if each.key == press.form.get("alert")), None)
    if alert is None:
        return _done(t("この件は、もう済んでいます。"))
    other = seen.mark(press.session, alert, office_id=press.office_id, **press.by)
    if other is not None:
        return _done(t("この件は、%(name)sさんが見ています。", name=other.by))
    return _done(t("「見た」と残しました。ほかの責任者の画面にも出ます。"))


_Work = tuple[Function, Callable[[Press], Done]]
_WORK: Mapping[str, _Work] = {
    "open": (Function.ASSIGN_COUNTERS, _open), "pause": (Function.ASSIGN_COUNTERS, _pause),
    "close": (Function.ASSIGN_COUNTERS, _close), "helped": (Function.ASSIGN_COUNTERS, _helped),
    "call-next": (Function.CALL, _call_next), "call": (Function.CALL, _call),
    "transfer": (Function.CALL, _transfer), "cancel-number": (Function.CALL, _cancel_number),
    "confirm-number": (Function.CALL, _confirm_number),
    "seen": (Function.LEAD, _seen),
    **{action.value: (Function.CALL, _on_step) for action in ON_STEP},
}  # fmt: skip
