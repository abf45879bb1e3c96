"""Staff: find by exact values and be seen doing it, set places by hand, move a whole day; time erases the rest."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.booking import State
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from app.domain.roles import Role
from app.models.booking import Booking
from app.models.delivery import Delivery
from app.models.people import AuditEntry
from app.services import (
    booking_cells,
    booking_days,
    booking_desk,
    booking_search,
    booking_sweeps,
    bookings,
    counters,
    desk,
    holds,
    queue,
)
from app.services.access import Principal
from app.services.booking_search import By, Look, Reason
from tests.services.booking_desk import AT, NEXT_DAY, SEALER, SECRET, agreed, book, hold, morning, used
from tests.services.conftest import KEY, Member

LINE = "ward-moving"


def look(who: Principal, reason: Reason = Reason.CALLED_US, words: str = "") -> Look:
    return Look(who=who, reason=reason, audit_key=KEY, words=words)


def find(session: Session, who: Principal, by: By, typed: str, office: str = "ward") -> list[int]:
    rows = booking_search.find(session, office_id=office, by=by, typed=typed, look=look(who), sealer=SEALER, at=AT)
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("by", "typed", "hit"),
    [
        (By.NAME, "山田花子", True), (By.NAME, "山田 花子", True), (By.NAME, "山田", False), (By.NAME, "%田%", False),
        (By.NAME, "' OR 1=1 --", False), (By.PHONE, "090 1234 5678", True), (By.PHONE, "+819012345678", True),
        (By.PHONE, "09012345679", False), (By.EMAIL, "Hanako@Example.jp", True), (By.REFERENCE, "000-000", False),
    ],
)  # fmt: skip
def test_only_the_exact_value_finds(database: Database, member: Member, by: By, typed: str, hit: bool) -> None:
    with database.transaction() as session:
        who = member(session, Role.CLERK, login="sato", office_id="ward")
        booking = book(session, name="山田 花子", phone="090-1234-5678", email="hanako@example.jp")
        assert find(session, who, by, typed) == ([booking.id] if hit else [])
        assert find(session, who, by, typed, office="branch") == []
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.search")).all()
        assert [(entry.actor, entry.details["by"], entry.details["found"]) for entry in entries] == [
            (who.actor, by, int(hit)),
            (who.actor, by, 0),
        ]
        assert typed not in str([entry.details for entry in entries])


def test_a_reference_is_found_as_it_is_read_aloud(database: Database, member: Member) -> None:
    with database.transaction() as session:
        who = member(session, Role.CLERK, login="sato", office_id="ward")
        booking = book(session)
        assert booking.reference
        for typed in (booking.reference, f" {booking.reference[:3]}-{booking.reference[3:].lower()} "):
            assert find(session, who, By.REFERENCE, typed) == [booking.id]


def test_a_number_of_today_is_found(database: Database, member: Member) -> None:
    with database.transaction() as session:
        who = member(session, Role.CLERK, login="sato", office_id="ward")
        booking = book(session, start=AT + timedelta(hours=2), at=AT)
        ticket, _ = bookings.check_in(
            session, booking, seed="t", secret=SECRET, actor="t", at=AT + timedelta(minutes=90)
        )
        assert find(session, who, By.NUMBER, ticket.number.lower()) == [booking.id]


@pytest.mark.parametrize(("by", "typed"), [(By.NAME, "山"), (By.NAME, ""), (By.PHONE, "090"), (By.EMAIL, "%"),
                                           (By.NUMBER, "%"), (By.NUMBER, "")])  # fmt: skip
def test_what_is_too_short_is_not_searched(database: Database, member: Member, by: By, typed: str) -> None:
    with pytest.raises(InvalidInput), database.transaction() as session:
        find(session, member(session, Role.CLERK, login="sato", office_id="ward"), by, typed)


def test_who_digs_is_marked_and_then_stopped(
    database: Database, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(booking_search, "UNUSUAL", 2)
    monkeypatch.setattr(booking_search, "MOST_SEARCHES", 4)
    with database.transaction() as session:
        who = member(session, Role.CLERK, login="sato", office_id="ward")
        for _ in range(4):
            find(session, who, By.NAME, "隣の人")
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
        assert [entry.details["unusual"] for entry in entries] == [False, False, True, True]
        with pytest.raises(TooMany, match="too_many_searches"):
            find(session, who, By.NAME, "隣の人")


def test_a_full_look_is_for_leads_and_for_the_clerk_who_serves_and_is_logged(
    database: Database, member: Member
) -> None:
    with database.transaction() as session:
        clerk = member(session, Role.CLERK, login="sato", office_id="ward")
        lead = member(session, Role.FLOOR_LEAD, login="lead", office_id="ward")
        booking = book(session, name="山田 花子", start=AT + timedelta(hours=2))

        def see(who: Principal) -> str:
            return booking_search.reveal(session, booking.id, look=look(who), sealer=SEALER, at=AT).name

        with pytest.raises(Forbidden):
            see(clerk)
        assert see(lead) == "山田 花子"
        bookings.check_in(session, booking, seed="t", secret=SECRET, actor="t", at=AT + timedelta(hours=2))
        counters.open_counter(session, counter_id="ward-5", actor="t", at=AT, categories=[LINE])
        seated = Principal(kind="staff", id=clerk.id, role=Role.CLERK, municipality_id="aonami", office_id="ward",
                           counter_id="ward-5")  # fmt: skip
        with pytest.raises(Forbidden):
            see(seated)
        assert queue.call_next(session, counter_id="ward-5", actor="t", at=AT + timedelta(hours=2))
        assert see(seated) == "山田 花子"
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.reveal")).all()
        assert [entry.actor for entry in entries] == [lead.actor, seated.actor]


def test_another_office_and_another_reason(database: Database, member: Member) -> None:
    with database.transaction() as session:
        elsewhere = member(session, Role.FLOOR_LEAD, login="lead", office_id="branch")
        booking = book(session, name="山田 花子")
        with pytest.raises(NotFound):
            booking_search.reveal(session, booking.id, look=look(elsewhere), sealer=SEALER, at=AT)
        with pytest.raises(InvalidInput, match="reason_needed"):
            look(elsewhere, Reason.OTHER, "つい")


def test_the_day_list_masks_people_and_hides_those_of_sensitive_visits(database: Database) -> None:
    with database.transaction() as session:
        book(session, name="山田 花子", phone="090-1234-5678")
        book(session, "fukushi_consult", name="鈴木 一郎", start=morning(11))
        rows = booking_desk.day_list(session, office_id="ward", day=date(2026, 4, 2), sealer=SEALER)
    assert [(row.person.name, row.sensitive) for row in rows] == [("山●●●", False), ("", True)]
    assert rows[0].person.phone == "●●● 5678"
    assert rows[1].names[0]["ja"] == "相談"


def test_staff_book_for_a_caller_up_to_now_and_in_their_own_places(database: Database) -> None:
    start = AT + timedelta(minutes=75)
    with database.transaction() as session:
        for _ in range(2):
            hold(session, start=start)
        asked = holds.Asked(office_id="ward", services=("tennyu",), start=start, channel="staff", staff=True)
        booking = booking_desk.book_for(
            session, asked=asked, person=bookings.person_of(name="電話の人", phone="03-1234-5678"), seed="c",
            secret=SECRET, sealer=SEALER, actor="staff:1", at=AT,
        )  # fmt: skip
        assert booking.state == State.BOOKED
        assert [done.action for done in booking_desk.history(session, booking.id)] == ["hold", "confirm"]


def test_places_set_by_hand_block_and_open_and_never_below_what_is_booked(database: Database) -> None:
    def cells(session: Session) -> list[tuple[int, int, bool]]:
        found = booking_cells.of_day(session, office_id="ward", category_id=LINE, day=date(2026, 4, 2))
        return [(cell.capacity, cell.used, cell.by_hand) for cell in found if cell.start == morning(10)]

    def put(session: Session, capacity: int | None) -> int:
        return booking_cells.set_places(session, office_id="ward", category_id=LINE, first=morning(10),
                                        last=morning(10, 15), capacity=capacity)  # fmt: skip

    with database.transaction() as session:
        assert put(session, 0) == 1
        assert cells(session) == [(0, 0, True)]
    with pytest.raises(NotFound), database.transaction() as session:
        hold(session)
    with database.transaction() as session:
        put(session, 6)
        booking = book(session)
        for _ in range(4):
            hold(session)
        assert used(session) == 5
    with pytest.raises(Conflict, match="slot_in_use") as refusal, database.transaction() as session:
        put(session, 2)
    assert refusal.value.values["references"] == [booking.reference]
    with pytest.raises(Conflict, match="slot_in_use"), database.transaction() as session:
        put(session, None)
    with database.snapshot() as session:
        assert cells(session) == [(6, 5, True)]


def test_a_typhoon_moves_everyone_to_a_place_of_their_own(database: Database) -> None:
    """40 bookings of Thursday, two lines; the slots are shut, everyone gets another time and a message."""
    with database.transaction() as session:
        made = [
            book(session, "tennyu" if number % 2 else "kokuho_join", start=morning(9 + number // 8, 15 * (number % 4)),
                 email=f"person{number}@example.jp", staff=True, channel="staff").id
            for number in range(24)
        ]  # fmt: skip
    shift = booking_days.Shift(office_id="ward", day=date(2026, 4, 2), until=date(2026, 4, 10), reason="weather")
    with database.transaction() as session:
        assert len(booking_days.touched(session, shift, at=AT)) == 24
        assert booking_days.shut(session, shift, at=AT) > 100
    with pytest.raises(NotFound), database.transaction() as session:
        hold(session, start=morning(15))
    done = booking_days.Moved(left=1)
    while done.left:
        with database.transaction() as session:
            done = booking_days.move(session, shift, actor="staff:1", at=AT, most=10, skip=done.unplaced)
            assert done.unplaced == []
    with database.snapshot() as session:
        rows = session.scalars(select(Booking).where(Booking.id.in_(made))).all()
        assert {row.business_date for row in rows} == {date(2026, 4, 3)}
        assert all(row.state == State.BOOKED for row in rows)
        assert agreed(session)
        told = session.scalars(select(Delivery).where(Delivery.occasion == "moved")).all()
        assert len({row.target for row in told}) == 24
    with pytest.raises(NotFound), database.transaction() as session:
        hold(session, start=morning(9))


def test_a_full_week_leaves_nobody_without_the_old_place(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session, "okuyami", name="山田", start=morning(10) + timedelta(days=12))
    shift = booking_days.Shift(
        office_id="ward", day=booking.business_date, until=booking.business_date, reason="weather"
    )
    with database.transaction() as session:
        done = booking_days.move(session, shift, actor="staff:1", at=AT)
        assert (done.moved, done.unplaced, done.left) == ([], [booking.id], 0)
        assert session.get_one(Booking, booking.id).start_at == booking.start_at
        assert agreed(session)


def test_who_does_not_come_loses_the_place_and_still_gets_a_number_that_day(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session)
    with database.transaction() as session:
        assert booking_sweeps.mark_no_shows(session, office_id="ward", at=morning(10, 30)) == 0
        assert booking_sweeps.mark_no_shows(session, office_id="ward", at=morning(10, 31)) == 1
        assert booking_sweeps.mark_no_shows(session, office_id="ward", at=morning(10, 31)) == 0
        row = session.get_one(Booking, booking.id, populate_existing=True)
        assert row.state == State.NO_SHOW
        ticket, _ = bookings.check_in(session, row, seed="t", secret=SECRET, actor="t", at=morning(11))
        assert (ticket.channel, row.state) == ("booking", State.ARRIVED)


def _personal(database: Database) -> str:
    with database.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT sealed_name, sealed_phone, name_index, phone_index, contact_id, holder FROM booking")
        ).all()
    return "".join(str(value) for row in rows for value in row if value is not None)


def test_names_and_contacts_are_erased_some_days_after_the_visit(database: Database, member: Member) -> None:
    with database.transaction() as session:
        booking = book(session, name="山田 花子", phone="090-1234-5678")
        hold(session, holder="somebody")
    for days, erased in ((0, 0), (6, 0), (9, 2), (9, 0)):
        with database.transaction() as session:
            holds.expire_due(session, office_id="ward", at=AT + timedelta(hours=1))
            assert booking_sweeps.erase(session, office_id="ward", at=NEXT_DAY + timedelta(days=days)) == erased
        assert bool(_personal(database)) is (days < 9)
    with database.transaction() as session:
        who = member(session, Role.CLERK, login="sato", office_id="ward")
        assert find(session, who, By.NAME, "山田花子") == []
        row = session.get_one(Booking, booking.id)
        assert (row.reference, row.erased_at) == (booking.reference, NEXT_DAY + timedelta(days=9))


def test_the_sample_city_keeps_seven_days(database: Database) -> None:
    with database.snapshot() as session:
        assert booking_sweeps.kept(session, "ward") == timedelta(days=7)


def test_an_idle_counter_is_told_who_is_booked_next(database: Database) -> None:
    with database.transaction() as session:
        place = counters.open_counter(session, counter_id="ward-4", actor="test", at=AT)
        book(session, "tennyu", start=morning(11))
        assert desk.expected(session, place, at=AT) is None  # not today
        assert desk.expected(session, place, at=morning(12)) is None
        found = desk.expected(session, place, at=morning(9))
        assert found is not None
        assert (found.start, found.party, found.service.id) == (morning(11), 1, "tennyu")
        lines = ["ward-certificates"]
        certificates = counters.open_counter(session, counter_id="ward-2", actor="test", at=AT, categories=lines)
        assert desk.expected(session, certificates, at=morning(9)) is None
