"""What the desk's templates say of instants, the visit and fees: figures and words, no markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.floor import minutes_since
from app.domain.ticket import FINAL, Phase, State
from app.models.place import Service
from app.models.ticket import Step
from app.web.api import reasons
from app.web.desk.view import Screen
from app.web.formats import TOKYO

# Minutes after which somebody who was called is late (NOTES of the desk: three calls within three minutes).
CALLED_MINUTES = 3
_PUT_ASIDE = {State.PARKED: "保留中", State.MISSED: "不在", State.WAITING: "待っています"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One stop of a visit. ``name``: names by language, or Japanese source text; ``mark``: now, done or empty."""

    name: Mapping[str, Any] | str
    mark: str = ""
    category: str | None = None
    usual: int | None = None
    estimate: Mapping[str, int] | None = None
    state: str = ""


class Drawing:
    """Words and figures for one screen."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    def seconds(self, since: datetime) -> int:
        """Whole seconds since an instant."""
        return max(int((self.screen.at - since).total_seconds()), 0)

    def minutes(self, since: datetime) -> int:
        """Whole minutes since an instant."""
        return minutes_since(since, self.screen.at)

    def minutes_until(self, then: datetime) -> int:
        """Minutes until an instant, a begun one counted; negative when it has passed."""
        return -int(((self.screen.at - then).total_seconds()) // 60)

    def elapsed(self, since: datetime) -> str:
        """12:40, from an hour on 1:02:40."""
        minutes, seconds = divmod(self.seconds(since), 60)
        hours, rest = divmod(minutes, 60)
        return f"{hours}:{rest:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

    def clock(self, at: datetime) -> str:
        """11:51:55"""
        return f"{at.astimezone(TOKYO):%-H:%M:%S}"

    def mean(self) -> tuple[int, int] | None:
        """Minutes and seconds of the counter's mean time at a party today."""
        found: timedelta | None = self.screen.done[1]
        return divmod(int(found.total_seconds()), 60) if found else None

    def reason(self, code: str) -> str:
        """Why it is this number's turn."""
        return reasons.sentence(code)

    def usual(self) -> int | None:
        """Minutes this usually takes: the procedure while serving, else how long a call may stand."""
        party = self.screen.party
        if party is None or party.step.state == State.CALLED:
            return CALLED_MINUTES
        minutes: int | None = party.service.minutes.get(party.step.phase)
        return minutes

    def fees(self) -> list[Service]:
        """The procedures of the visit, each once, for their fees."""
        party = self.screen.party
        return list({of.id: of for _, of in party.visit}.values()) if party else []

    def stops(self) -> list[Stop]:
        """The visit: phases of its only procedure, else one stop for each procedure."""
        party = self.screen.party
        if party is None:
            return []
        groups: dict[str, list[Step]] = {}
        for step, of in party.visit:
            if step.state != State.CANCELLED:
                groups.setdefault(of.id, []).append(step)
        services = {of.id: of for _, of in party.visit}
        if len(groups) == 1:
            return self._phases(party.step, next(iter(groups.values())), party.service)
        return [self._stop(party.step, steps, services[name]) for name, steps in groups.items()]

    def _phases(self, now: Step, steps: Sequence[Step], of: Service) -> list[Stop]:
        if not any(step.phase == Phase.DELIVER for step in steps):
            return []
        found = []
        for step in steps:
            deliver = step.phase == Phase.DELIVER
            if deliver and of.minutes.get("back"):
                made = "" if now.phase == Phase.ACCEPT else "done"
                found.append(Stop(name="作成", mark=made, usual=of.minutes["back"], state="奥の係"))
            mark = "now" if step.id == now.id else "done" if step.state in FINAL else ""
            found.append(Stop(name="交付" if deliver else "受付", mark=mark, category=step.category_id,
                              usual=of.minutes.get(step.phase)))  # fmt: skip
        return found

    def _stop(self, now: Step, steps: Sequence[Step], of: Service) -> Stop:
        if any(step.id == now.id for step in steps):
            return Stop(name=of.name, mark="now", usual=of.minutes.get(now.phase))
        open_steps = [step for step in steps if State(step.state) not in FINAL]
        if not open_steps:
            return Stop(name=of.name, mark="done")
        step = open_steps[0]
        line = self.screen.line_of(step.category_id)
        making = step.phase == Phase.DELIVER and step.state == State.PENDING
        return Stop(
            name=of.name, category=step.category_id, estimate=line["estimate"] if line and not making else None,
            state="作成中" if making else _PUT_ASIDE.get(State(step.state), ""),
        )  # fmt: skip
