"""Who waits for a full day gets the next freed slot, first come first, for a limited time, and never twice sold."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.booking import Half, State, WishState
from app.domain.errors import Conflict, InvalidInput, TooMany
from app.models.booking import Booking, BookingWish
from app.models.delivery import Delivery
from app.services import booking_sweeps, bookings, waiting_list, waiting_offers
from tests.services.booking_desk import AT, FULL_DAY, FULL_STARTS, SEALER, SECRET, agreed, fill_day, hold, states


def wait(session: Session, number: int = 1, at: datetime = AT, half: Half = Half.EITHER) -> BookingWish:
    wanted = waiting_list.Wanted(
        office_id="ward", services=("okuyami",), first_day=FULL_DAY, last_day=FULL_DAY, half=half
    )
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


def found(session: Session, *wishes: BookingWish) -> list[datetime | None]:
    """What is offered to each."""
    rows = [session.get_one(BookingWish, wish.id, populate_existing=True) for wish in wishes]
    return [waiting_list.place(session, row, at=row.changed_at).offered for row in rows]


def test_a_freed_slot_is_offered_to_who_waits_longest_and_taken_from_everyone_else(database: Database) -> None:
    with database.transaction() as session:
        booked = fill_day(session)
        first, second = wait(session, 1), wait(session, 2)
    with database.transaction() as session:
        cancel(session, booked[1])
        places = [waiting_list.place(session, session.get_one(BookingWish, w.id), at=AT) for w in (first, second)]
        assert [(p.state, p.offered, p.ahead) for p in places] == [
            (WishState.OFFERED, FULL_STARTS[1], 0),
            (WishState.WAITING, None, 0),
        ]
        sent = session.scalars(select(Delivery).where(Delivery.occasion == "offer")).one()
        assert sent.target == f"wish:{first.id}"
        assert agreed(session)
    with pytest.raises(Conflict, match="slot_full"), database.transaction() as session:
        hold(session, "okuyami", start=FULL_STARTS[1])


def test_an_offer_taken_is_a_booking_with_a_link_of_its_own(database: Database) -> None:
    with database.transaction() as session:
        booked, wish = fill_day(session), wait(session)
        cancel(session, booked[0])
    with database.transaction() as session:
        row = session.get_one(BookingWish, wish.id)
        taken = accept(session, row)
        assert (taken.state, taken.start_at) == (State.BOOKED, FULL_STARTS[0])
        assert bookings.by_token(session, bookings.token_of(taken, SECRET)).id == taken.id
        assert accept(session, row).id == taken.id
        assert row.state == WishState.TAKEN


def test_an_offer_that_ran_out_goes_to_the_next(database: Database) -> None:
    with database.transaction() as session:
        booked = fill_day(session)
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
        booked = fill_day(session)
        first, second = wait(session, 1), wait(session, 2)
        cancel(session, booked[0])
    with database.transaction() as session:
        assert waiting_list.withdraw(session, session.get_one(BookingWish, first.id), at=AT)
        assert session.get_one(BookingWish, second.id).state == WishState.OFFERED
        assert not waiting_list.withdraw(session, session.get_one(BookingWish, first.id), at=AT)
        assert agreed(session)


def test_an_offer_lies_in_the_half_of_the_day_somebody_can_come_in(database: Database) -> None:
    """The longest waiting of those whom it suits has it."""
    with database.transaction() as session:
        booked = fill_day(session)
        late = wait(session, 1, half=Half.AFTERNOON)
        early = wait(session, 2, half=Half.MORNING)
        any_time = wait(session, 3)
    with database.transaction() as session:
        cancel(session, booked[1])
        assert found(session, late, early, any_time) == [None, FULL_STARTS[1], None]
    with database.transaction() as session:
        cancel(session, booked[2])
        assert found(session, late, early, any_time) == [FULL_STARTS[2], FULL_STARTS[1], None]
    with database.transaction() as session:
        cancel(session, booked[0])
        assert found(session, late, early, any_time) == [FULL_STARTS[2], FULL_STARTS[1], FULL_STARTS[0]]
        assert agreed(session)


def test_the_sweep_keeps_to_the_half_too(database: Database) -> None:
    """What ran out with one goes on to the next whom it suits, over the heads of those whom it does not."""
    with database.transaction() as session:
        booked = fill_day(session)
        early, late, next_early = (
            wait(session, 1, half=Half.MORNING), wait(session, 2, half=Half.AFTERNOON),
            wait(session, 3, half=Half.MORNING),
        )  # fmt: skip
        cancel(session, booked[0])
    with database.transaction() as session:
        booking_sweeps.expire_holds(session, office_id="ward", at=AT + waiting_offers.OFFER_LASTS)
        assert found(session, early, late, next_early) == [None, None, FULL_STARTS[0]]
        assert agreed(session)


def test_however_many_wait_for_the_other_half_a_place_goes_to_who_can_come(database: Database) -> None:
    with database.transaction() as session:
        booked = fill_day(session)
        for number in range(60):
            wait(session, number, half=Half.AFTERNOON)
        last = wait(session, 60, half=Half.MORNING)
        assert waiting_list.place(session, last, at=AT).ahead == 0
        cancel(session, booked[0])
    with database.transaction() as session:
        assert found(session, last) == [FULL_STARTS[0]]


def test_however_many_days_are_waited_for_each_has_its_turn(database: Database) -> None:
    """The places were freed in the night: only the sweep offers them."""
    night, days = AT.replace(hour=13), [FULL_DAY - timedelta(days=offset) for offset in range(13)]
    with database.transaction() as session:
        booked, last = fill_day(session), wait(session)
        for number, day in enumerate(days):
            session.add(_like(last, f"other-{number}", first_day=day, last_day=day, services=["nothing"]))
        cancel(session, booked[0], at=night)
    morning = AT + timedelta(hours=21)
    with database.transaction() as session:
        for minute in range(2):
            booking_sweeps.expire_holds(session, office_id="ward", at=morning + timedelta(minutes=minute))
        assert found(session, last) == [FULL_STARTS[0]]


def _like(wish: BookingWish, seed: str, **other: Any) -> BookingWish:
    values = {column.key: getattr(wish, column.key) for column in BookingWish.__table__.columns}
    return BookingWish(**values | {"id": None, "seed": seed, "token_hash": seed, "contact_index": None} | other)


def test_one_counts_behind_those_who_wait_for_some_of_the_same_times(database: Database) -> None:
    with database.transaction() as session:
        fill_day(session)
        list_ = [wait(session, number, half=half) for number, half in enumerate(
            (Half.MORNING, Half.AFTERNOON, Half.EITHER, Half.MORNING, Half.AFTERNOON))]  # fmt: skip
        assert [waiting_list.place(session, wish, at=AT).ahead for wish in list_] == [0, 0, 2, 2, 2]


def test_a_full_half_can_be_waited_for_and_one_without_times_cannot(database: Database) -> None:
    with database.transaction() as session:
        booked = fill_day(session)
    with database.transaction() as session:
        cancel(session, booked[2])
        assert wait(session, half=Half.MORNING).half == "morning"
    for half in (Half.AFTERNOON, Half.EITHER):
        with pytest.raises(Conflict, match="day_not_full"), database.transaction() as session:
            wait(session, half=half)
    sunday = waiting_list.Wanted(office_id="ward", services=("okuyami",), first_day=date(2026, 4, 12),
                                 last_day=date(2026, 4, 12))  # fmt: skip
    with pytest.raises(Conflict, match="nothing_to_wait_for"), database.transaction() as session:
        waiting_list.ask(session, wanted=sunday, person=bookings.person_of(email="a@example.jp"), seed="s",
                         secret=SECRET, sealer=SEALER, at=AT)  # fmt: skip


def test_the_database_knows_no_other_half(database: Database) -> None:
    with database.transaction() as session:
        fill_day(session)
        wish = wait(session)
    with pytest.raises(Conflict, match="constraint"), database.transaction() as session:
        session.get_one(BookingWish, wish.id).half = "evening"


def test_nobody_is_offered_anything_at_night(database: Database) -> None:
    night = datetime.fromisoformat("2026-04-01T22:00+09:00")
    with database.transaction() as session:
        booked, wish = fill_day(session), wait(session)
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
        fill_day(session)
    wanted = waiting_list.Wanted(office_id="ward", services=("okuyami",), first_day=FULL_DAY, last_day=FULL_DAY)
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
        booked, _ = fill_day(session), wait(session)
        cancel(session, booked[0])
    with database.snapshot() as session:
        held = session.scalars(select(Booking).where(Booking.channel == "waiting_list")).one()
        assert len(held.token_hash) != 64
    with database.transaction() as session:
        assert states(session).count(State.HELD) == 1
