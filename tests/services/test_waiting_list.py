"""Who waits for a full day gets the next freed slot, first come first, for a limited time, and never twice sold."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.booking import State, WishState
from app.domain.errors import Conflict, InvalidInput, TooMany
from app.models.booking import Booking, BookingWish
from app.models.delivery import Delivery
from app.services import booking_sweeps, bookings, waiting_list, waiting_offers
from tests.services.booking_desk import AT, SEALER, SECRET, agreed, book, hold, states

# Tuesday: おくやみ has one place in half an hour for 90 minutes at a time; the day is soon full.
DAY = date(2026, 4, 14)


def starts() -> list[datetime]:
    opening = datetime.fromisoformat("2026-04-14T08:30+09:00")
    return [opening + timedelta(minutes=minutes) for minutes in (0, 90, 270, 360)]


def fill(session: Session) -> list[Booking]:
    """Book the day so that no visit fits any more."""
    return [book(session, "okuyami", name="山田", start=start) for start in starts()]


def wait(session: Session, number: int = 1, at: datetime = AT) -> BookingWish:
    wanted = waiting_list.Wanted(office_id="ward", services=("okuyami",), first_day=DAY, last_day=DAY)
    person = bookings.person_of(name="佐藤", phone=f"090-1234-56{number:02d}")
    return waiting_list.ask(
        session, wanted=wanted, person=person, seed=f"wish-{number}", secret=SECRET, sealer=SEALER, at=at
    )


def cancel(session: Session, booking: Booking, at: datetime = AT) -> None:
    bookings.cancel(session, session.get_one(Booking, booking.id), actor="test", at=at)


def accept(session: Session, wish: BookingWish, at: datetime = AT) -> Booking:
    person = bookings.person_of(name="佐藤", phone="090-1234-5601")
    return waiting_list.accept(
        session, wish, person=person, seed=f"taken-{wish.id}", secret=SECRET, sealer=SEALER, at=at
    )


def test_a_freed_slot_is_offered_to_who_waits_longest_and_taken_from_everyone_else(database: Database) -> None:
    with database.transaction() as session:
        booked = fill(session)
        first, second = wait(session, 1), wait(session, 2)
    with database.transaction() as session:
        cancel(session, booked[1])
        places = [waiting_list.place(session, session.get_one(BookingWish, w.id), at=AT) for w in (first, second)]
        assert [(p.state, p.offered, p.ahead) for p in places] == [
            (WishState.OFFERED, starts()[1], 0),
            (WishState.WAITING, None, 0),
        ]
        sent = session.scalars(select(Delivery).where(Delivery.occasion == "offer")).one()
        assert sent.target == f"wish:{first.id}"
        assert agreed(session)
    with pytest.raises(Conflict, match="slot_full"), database.transaction() as session:
        hold(session, "okuyami", start=starts()[1])


def test_an_offer_taken_is_a_booking_with_a_link_of_its_own(database: Database) -> None:
    with database.transaction() as session:
        booked, wish = fill(session), wait(session)
        cancel(session, booked[0])
    with database.transaction() as session:
        row = session.get_one(BookingWish, wish.id)
        taken = accept(session, row)
        assert (taken.state, taken.start_at) == (State.BOOKED, starts()[0])
        assert bookings.by_token(session, bookings.token_of(taken, SECRET)).id == taken.id
        assert accept(session, row).id == taken.id
        assert row.state == WishState.TAKEN


def test_an_offer_that_ran_out_goes_to_the_next(database: Database) -> None:
    with database.transaction() as session:
        booked = fill(session)
        first, second = wait(session, 1), wait(session, 2)
        cancel(session, booked[0])
    late = AT + waiting_offers.OFFER_LASTS
    with pytest.raises(Conflict, match="hold_expired"), database.transaction() as session:
        accept(session, session.get_one(BookingWish, first.id), at=late)
    with database.transaction() as session:
        assert booking_sweeps.expire_holds(session, office_id="ward", at=late) == 1
        found = [session.get_one(BookingWish, wish.id) for wish in (first, second)]
        assert [(wish.state, wish.offers) for wish in found] == [(WishState.WAITING, 1), (WishState.OFFERED, 1)]
        assert agreed(session)
    later = late + waiting_offers.OFFER_LASTS
    with database.transaction() as session:
        booking_sweeps.expire_holds(session, office_id="ward", at=later)
        found = [session.get_one(BookingWish, wish.id) for wish in (first, second)]
        assert [wish.state for wish in found] == [WishState.OFFERED, WishState.WAITING]
        assert agreed(session)


def test_leaving_the_list_gives_the_offer_to_the_next(database: Database) -> None:
    with database.transaction() as session:
        booked = fill(session)
        first, second = wait(session, 1), wait(session, 2)
        cancel(session, booked[0])
    with database.transaction() as session:
        assert waiting_list.withdraw(session, session.get_one(BookingWish, first.id), at=AT)
        assert session.get_one(BookingWish, second.id).state == WishState.OFFERED
        assert not waiting_list.withdraw(session, session.get_one(BookingWish, first.id), at=AT)
        assert agreed(session)


def test_nobody_is_offered_anything_at_night(database: Database) -> None:
    night = datetime.fromisoformat("2026-04-01T22:00+09:00")
    with database.transaction() as session:
        booked, wish = fill(session), wait(session)
    with database.transaction() as session:
        cancel(session, booked[0], at=night)
        assert session.get_one(BookingWish, wish.id).state == WishState.WAITING
    with database.transaction() as session:
        booking_sweeps.expire_holds(session, office_id="ward", at=night + timedelta(hours=11))
        assert session.get_one(BookingWish, wish.id).state == WishState.OFFERED


def test_the_list_is_for_full_days_with_a_contact_and_only_a_few(database: Database) -> None:
    with pytest.raises(Conflict, match="day_not_full"), database.transaction() as session:
        wait(session)
    with database.transaction() as session:
        fill(session)
    wanted = waiting_list.Wanted(office_id="ward", services=("okuyami",), first_day=DAY, last_day=DAY)
    for phone in ("", "03-1234-5678"):
        unreachable = bookings.person_of(phone=phone)
        with pytest.raises(InvalidInput, match="contact_needed"), database.transaction() as session:
            waiting_list.ask(
                session, wanted=wanted, person=unreachable, seed="s", secret=SECRET, sealer=SEALER, at=AT
            )  # fmt: skip
    with database.transaction() as session:
        for seed in "abc":
            waiting_list.ask(session, wanted=wanted, person=bookings.person_of(email="a@example.jp"), seed=seed,
                             secret=SECRET, sealer=SEALER, at=AT)  # fmt: skip
    with pytest.raises(TooMany), database.transaction() as session:
        waiting_list.ask(session, wanted=wanted, person=bookings.person_of(email="A+x@example.jp"), seed="d",
                         secret=SECRET, sealer=SEALER, at=AT)  # fmt: skip


def test_a_hold_of_an_offer_answers_to_no_link_but_that_of_the_wish(database: Database) -> None:
    with database.transaction() as session:
        booked, _ = fill(session), wait(session)
        cancel(session, booked[0])
    with database.snapshot() as session:
        held = session.scalars(select(Booking).where(Booking.channel == "waiting_list")).one()
        assert len(held.token_hash) != 64
    with database.transaction() as session:
        assert states(session).count(State.HELD) == 1
