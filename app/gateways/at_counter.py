"""Money over the counter: cash, or the terminal that stands there. It is taken when staff say so, with the slip.

There is nobody to ask but ourselves: what is known of an attempt is all there is to be seen of it.
"""

from collections.abc import Sequence
from datetime import datetime

from app.domain.payment import Money, RefundState, State
from app.gateways.base import Absent, Known, Order, Refused, Return, Returned, Sight, Thing


class AtCounter:
    """The gateway of every office; needs no keys."""

    name = "counter"
    online = False
    origin = ""

    def open(self, order: Order) -> Sight | Refused:
        """Taken at once; without the number of the slip it was not."""
        if not order.slip or order.amount.amount <= 0 or order.amount.currency != Money(0).currency:
            return Refused(reason="no slip")
        return Sight(
            provider_id=f"counter:{order.key}", key=order.key, state=State.SUCCEEDED, amount=order.amount,
            paid_with=order.slip,
        )  # fmt: skip

    def look(self, known: Known) -> Sight | Absent:
        if known.provider_id != f"counter:{known.key}":
            return Absent()
        return Sight(provider_id=known.provider_id, key=known.key, state=known.state, amount=known.amount)

    def find(self, _known: Known) -> Absent:
        """What staff did not record, nobody knows of."""
        return Absent()

    def stop(self, known: Known) -> Sight | Absent:
        return self.look(known)

    def give_back(self, wish: Return) -> Returned | Refused:
        """Paid out by staff when the second person approves."""
        if not wish.provider_id.startswith("counter:") or wish.amount.amount <= 0:
            return Refused(reason="not paid here")
        return Returned(provider_id=f"counter:{wish.key}", state=RefundState.DONE, amount=wish.amount)

    def look_back(self, _wish: Return) -> Absent:
        return Absent()

    def recent(self, _since: datetime) -> Sequence[Sight]:
        return ()

    def attempt_of(self, _thing: Thing) -> Absent:
        return Absent()
