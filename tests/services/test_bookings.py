"""Hold, confirm, move, cancel, check in: what each changes, what each refuses, and that places always add up."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.db.session import Database
from app.domain.booking import State
from app.domain.errors import Conflict, InvalidInput, NotFound, TooMany
from app.models.booking import Booking, BookingEvent, Slot
from app.models.delivery import Delivery
from app.models.ticket import Step, Ticket
from app.services import booking_view, bookings, holds, lines
from tests.services.booking_desk import AT, SEALER, SECRET, agreed, book, confirm, hold, morning, states, used


def fill(database: Database, start: datetime) -> None:
    """Take what is left for the public."""
    for _ in range(20):
        try:
            with database.transaction() as session:
                hold(session, start=start)
        except Conflict:
            return
    raise AssertionError("never full")


def test_a_hold_takes_its_place_from_everyone_else(database: Database) -> None:
    with database.transaction() as session:
        held = hold(session)
        assert held.expires_at == AT + timedelta(minutes=5)
    with database.snapshot() as session:
        assert used(session) == 1
        assert agreed(session)


def test_the_last_place_is_given_once_and_staff_have_their_own(database: Database) -> None:
    """The moving line has three places in a quarter of an hour, one of them for staff alone."""
    with database.transaction() as session:
        hold(session)
        hold(session)
    with pytest.raises(Conflict, match="slot_full"), database.transaction() as session:
        hold(session)
    with database.transaction() as session:
        hold(session, staff=True, channel="staff")
    with pytest.raises(Conflict, match="slot_full"), database.transaction() as session:
        hold(session, staff=True, channel="staff")
    with database.snapshot() as session:
        assert used(session) == 3
        assert agreed(session)


@pytest.mark.parametrize(
    ("start", "error", "code"),
    [
        (AT - timedelta(minutes=1), InvalidInput, "slot_past"),
        (AT + timedelta(minutes=30), InvalidInput, "slot_too_soon"),
        (AT + timedelta(days=60), InvalidInput, "slot_too_far"),
        (morning(10, 7), NotFound, "not_found"),
        (morning(7), NotFound, "not_found"),
        (morning(10) + timedelta(days=2, hours=9), NotFound, "not_found"),
    ],
)
def test_a_start_that_is_no_slot_is_refused(
    database: Database, start: datetime, error: type[Exception], code: str
) -> None:
    with pytest.raises(error, match=code), database.transaction() as session:
        hold(session, start=start)


@pytest.mark.parametrize(
    ("services", "error", "code"),
    [
        (["juminhyo"], InvalidInput, "not_bookable"),
        (["nowhere"], NotFound, "not_found"),
        (["tennyu", "tennyu"], InvalidInput, "bad_services"),
        ([], InvalidInput, "bad_services"),
    ],
)
def test_what_cannot_be_booked_is_refused(
    database: Database, services: list[str], error: type[Exception], code: str
) -> None:
    asked = holds.Asked(office_id="ward", services=services, start=morning(10))
    with pytest.raises(error, match=code), database.transaction() as session:
        holds.hold(session, asked=asked, seed="s", secret=SECRET, actor="test", at=AT)


def test_a_party_stands_side_by_side_or_one_after_the_other(database: Database) -> None:
    with database.transaction() as session:
        two = hold(session, "tenkyo", party=2)
        three = hold(session, "tenkyo", party=3, start=morning(11))
    with database.snapshot() as session:
        assert used(session) == 2
        assert (used(session, morning(11)), used(session, morning(11, 15))) == (2, 1)
        assert (two.end_at - two.start_at, three.end_at - three.start_at) == (
            timedelta(minutes=15),
            timedelta(minutes=30),
        )
        assert agreed(session)


def test_a_visit_of_several_services_takes_the_right_length_in_each_line(database: Database) -> None:
    """A quarter of an hour for the moving, then two for the health insurance, after the way between."""
    with database.transaction() as session:
        held = hold(session, "tennyu", "kokuho_join")
    with database.snapshot() as session:
        assert used(session, morning(10)) == 1
        assert used(session, morning(10, 30), "ward-insurance") == 1
        assert used(session, morning(10, 45), "ward-insurance") == 1
        assert held.end_at == morning(11)
        assert [stage["service"] for stage in held.plan] == ["tennyu", "kokuho_join"]
        assert agreed(session)


def test_the_order_of_a_visit_is_the_one_that_has_room(database: Database) -> None:
    with database.transaction() as session:
        # The insurance has no room from 10 to 11.
        for start in (morning(10), morning(10, 30)):
            hold(session, "kokuho_join", start=start)
            hold(session, "kokuho_join", start=start)
        held = hold(session, "tennyu", "kokuho_join", start=morning(9))
    assert [stage["service"] for stage in held.plan] == ["tennyu", "kokuho_join"]
    with database.transaction() as session:
        turned = hold(session, "tennyu", "kokuho_join", start=morning(9, 30))
    assert [stage["service"] for stage in turned.plan] == ["kokuho_join", "tennyu"]


def test_confirming_makes_a_reference_and_keeps_only_what_is_asked(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session, name="山田 花子", phone="090-1234-5678", notes="車いすです")
        assert booking.state == State.BOOKED
        assert booking.reference
        assert set(booking.reference) <= set("34679CDFGHJKMNPQRTWXY")
        assert booking.expires_at is None
        full = booking_view.person(booking, SEALER, full=True)
        assert (full.name, full.phone, full.notes) == ("山田 花子", "+819012345678", "車いすです")
        masked = booking_view.person(booking, SEALER)
        assert (masked.name, masked.phone, masked.notes) == ("山●●●", "●●● 5678", "")


def test_what_must_be_told_is_asked_for_and_the_hold_survives(database: Database) -> None:
    start = morning(10) + timedelta(days=6)
    with database.transaction() as session:
        held = hold(session, "okuyami", start=start)
    with pytest.raises(InvalidInput, match="booking_incomplete") as refusal, database.transaction() as session:
        confirm(session, held)
    assert refusal.value.values["fields"] == ["name"]
    with database.transaction() as session:
        assert confirm(session, held, name="佐藤").state == State.BOOKED


@pytest.mark.parametrize(
    "person",
    [{"name": "あ" * 61}, {"name": "a\u202eb"}, {"phone": "12"}, {"phone": "0990-123-456"}, {"phone": "0120-123-456"},
     {"email": "a@b"}, {"notes": "あ" * 201}, {"phone": "+44 20 7946 0018"}],
)  # fmt: skip
def test_a_person_that_cannot_be_is_refused(database: Database, person: dict[str, str]) -> None:
    with database.transaction() as session:
        held = hold(session)
    with pytest.raises(InvalidInput), database.transaction() as session:
        confirm(session, held, **person)
    with database.snapshot() as session:
        assert states(session) == [State.HELD]


def test_a_hold_that_is_over_cannot_be_confirmed(database: Database) -> None:
    with database.transaction() as session:
        held = hold(session)
    with pytest.raises(Conflict, match="hold_expired"), database.transaction() as session:
        confirm(session, held, at=AT + timedelta(minutes=5))


def test_a_hold_that_is_over_gives_its_place_to_the_next_and_only_once(database: Database) -> None:
    """Without waiting for the sweep: the place is offered at once, and the sweep finds nothing left to do."""
    with database.transaction() as session:
        hold(session)
        hold(session)
    late = AT + timedelta(minutes=6)
    with database.transaction() as session:
        hold(session, at=late)
        assert states(session) == [State.EXPIRED, State.EXPIRED, State.HELD]
        assert holds.expire_due(session, office_id="ward", at=late) == 0
        assert used(session) == 1
        assert agreed(session)


def test_the_sweep_ends_each_hold_once(database: Database) -> None:
    with database.transaction() as session:
        hold(session)
        confirm(session, hold(session))
    late = AT + timedelta(minutes=5)
    with database.transaction() as session:
        assert holds.expire_due(session, office_id="ward", at=late - timedelta(seconds=1)) == 0
        assert holds.expire_due(session, office_id="ward", at=late) == 1
    with database.transaction() as session:
        assert holds.expire_due(session, office_id="ward", at=late) == 0
        assert states(session) == [State.EXPIRED, State.BOOKED]
        assert used(session) == 1
        assert agreed(session)


def test_one_browser_holds_only_a_few(database: Database) -> None:
    with database.transaction() as session:
        for number in range(5):
            hold(session, start=morning(9 + number), holder="h")
    with pytest.raises(TooMany, match="too_many_holds"), database.transaction() as session:
        hold(session, start=morning(14), holder="h")
    with database.transaction() as session:
        hold(session, start=morning(14), holder="other")


def test_one_contact_books_no_two_visits_at_once_and_only_a_few(database: Database) -> None:
    with database.transaction() as session:
        book(session, phone="090-1234-5678")
    with database.transaction() as session:
        held = hold(session)
    with pytest.raises(Conflict, match="booking_overlaps"), database.transaction() as session:
        confirm(session, held, phone="+81 90 1234 5678")
    with database.transaction() as session:
        for hour in (9, 11, 13, 14):
            book(session, start=morning(hour), phone="09012345678")
        held = hold(session, start=morning(15))
    with pytest.raises(TooMany, match="too_many_bookings"), database.transaction() as session:
        confirm(session, held, phone="09012345678")
    with database.transaction() as session:
        assert confirm(session, held, phone="09012345679").state == State.BOOKED


def test_a_move_changes_both_places_in_one_go(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session)
        reference = booking.reference
        bookings.move(session, booking, start=morning(11), actor="test", at=AT)
    with database.snapshot() as session:
        row = session.scalars(select(Booking)).one()
        assert (row.start_at, row.reference, row.moves) == (morning(11), reference, 1)
        assert (used(session), used(session, morning(11))) == (0, 1)
        assert agreed(session)


def test_a_move_to_a_full_slot_keeps_the_old_one(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session)
    fill(database, morning(11))
    with pytest.raises(Conflict, match="slot_full"), database.transaction() as session:
        bookings.move(session, session.get_one(Booking, booking.id), start=morning(11), actor="test", at=AT)
    with database.snapshot() as session:
        assert session.get_one(Booking, booking.id).start_at == morning(10)
        assert used(session) == 1
        assert agreed(session)


def test_a_move_may_overlap_its_own_place(database: Database) -> None:
    """Two quarters from ten to two quarters from a quarter past: the middle one is its own."""
    with database.transaction() as session:
        booking = book(session, "kokuho_join")
        hold(session, "kokuho_join")
        hold(session, "kokuho_leave", start=morning(10, 30))
        bookings.move(session, booking, start=morning(10, 15), actor="test", at=AT)
        assert agreed(session)
        assert [used(session, morning(10, minute), "ward-insurance") for minute in (0, 15, 30)] == [1, 2, 2]


def test_the_same_start_again_is_no_move(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session)
        assert bookings.move(session, booking, start=morning(10), actor="test", at=AT).moves == 0


def test_cancelling_gives_the_place_back_and_again_is_the_same_state(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session)
        assert bookings.cancel(session, booking, actor="test", at=AT)
        assert not bookings.cancel(session, booking, actor="test", at=AT)
        assert (booking.state, used(session)) == (State.CANCELLED, 0)
        assert agreed(session)
        assert len(session.scalars(select(BookingEvent).where(BookingEvent.action == "cancel")).all()) == 1


def test_what_has_ended_neither_moves_nor_comes_back(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session)
        bookings.cancel(session, booking, actor="test", at=AT)
    for act in (
        lambda s, b: bookings.move(s, b, start=morning(11), actor="test", at=AT),
        lambda s, b: bookings.check_in(s, b, seed="t", secret=SECRET, actor="test", at=morning(9, 50)),
        confirm,
    ):
        with pytest.raises(Conflict, match="booking_cancelled"), database.transaction() as session:
            act(session, session.get_one(Booking, booking.id))


def test_a_check_in_gives_one_number_that_waits_in_the_place_of_its_slot(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session, "tennyu", "kokuho_join", party=2)
    with database.transaction() as session:
        row = session.get_one(Booking, booking.id)
        ticket, issued = bookings.check_in(session, row, seed="t1", secret=SECRET, actor="test", at=morning(9, 50))
        assert issued is not None
        again, none = bookings.check_in(session, row, seed="t2", secret=SECRET, actor="test", at=morning(9, 51))
        assert (again.id, none) == (ticket.id, None)
        first, *later = lines.steps_of(session, ticket.id)
        assert (first.entry, first.due_at, first.eligible_at) == ("booked", morning(10), morning(9, 55))
        assert [step.slot_at for step in later] == [datetime.fromisoformat(row.plan[1]["start"])]
        assert (ticket.channel, ticket.party, row.state) == ("booking", 2, State.ARRIVED)
    with pytest.raises(Conflict, match="booking_arrived"), database.transaction() as session:
        bookings.cancel(session, session.get_one(Booking, booking.id), actor="test", at=morning(9, 55))


@pytest.mark.parametrize(
    ("at", "due", "entry"),
    [
        (morning(10, 4), morning(10), "booked"),
        (morning(10, 20), morning(10, 30), "booked"),
        (morning(10, 31), morning(11, 1), "walk_in"),
    ],
)
def test_who_comes_late_waits_as_the_rules_say(database: Database, at: datetime, due: datetime, entry: str) -> None:
    with database.transaction() as session:
        booking = book(session)
        ticket, _ = bookings.check_in(session, booking, seed="t", secret=SECRET, actor="test", at=at)
        step = session.scalars(select(Step).where(Step.ticket_id == ticket.id)).one()
        assert (step.due_at, step.entry) == (due, entry)


def test_who_comes_far_too_early_or_after_closing_gets_no_number(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session)
    for at, code in ((morning(8, 59), "check_in_early"), (morning(19), "check_in_over")):
        with pytest.raises(Conflict, match=code), database.transaction() as session:
            bookings.check_in(
                session, session.get_one(Booking, booking.id), seed="t", secret=SECRET, actor="test", at=at
            )
    with database.snapshot() as session:
        assert session.scalars(select(Ticket)).all() == []


def test_a_closed_hall_takes_no_booking(database: Database) -> None:
    """Sunday 12 April: no line is open."""
    with pytest.raises(NotFound), database.transaction() as session:
        hold(session, start=morning(10) + timedelta(days=10))


def test_the_holder_is_told_and_reminded_and_told_again_of_a_move(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session, start=morning(10) + timedelta(days=5), email="hanako@example.jp")
        bookings.move(session, booking, start=morning(11) + timedelta(days=5), actor="test", at=AT)
        rows = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        assert [(row.occasion, row.state) for row in rows] == [
            ("booked", "queued"), ("reminder_day", "failed"), ("reminder_hours", "failed"),
            ("moved", "queued"), ("reminder_day", "queued"), ("reminder_hours", "queued"),
        ]  # fmt: skip
        assert rows[3].text["calendar"]["sequence"] == "1"
        bookings.cancel(session, booking, actor="test", at=AT)
        last = select(Delivery).order_by(Delivery.id).offset(4).execution_options(populate_existing=True)
        ends = {(row.occasion, row.state) for row in session.scalars(last)}
    assert ends == {("reminder_day", "failed"), ("reminder_hours", "failed"), ("cancelled", "queued")}


def test_without_the_guard_a_slot_is_overbooked(database: Database) -> None:
    """The negative control: the same act without the condition sells more places than there are."""
    with database.transaction() as session:
        session.info["unguarded"] = True
        for _ in range(4):
            hold(session)
        assert used(session) == 4


def test_the_database_itself_refuses_one_too_many(database: Database) -> None:
    with database.transaction() as session:
        hold(session)
    with pytest.raises(Conflict, match="slot_full"), database.transaction() as session:
        session.execute(update(Slot).values(used=Slot.capacity + 1))
