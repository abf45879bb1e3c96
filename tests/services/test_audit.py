"""The audit chain: whatever is changed in the table behind our back is found, on both databases."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.errors import NotFound
from app.models.people import AuditEntry
from app.models.place import Municipality
from app.services import audit

KEY = audit.chain_key("kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
AT = datetime(2026, 4, 1, 1, 2, 3, 456789, tzinfo=UTC)
LENGTH, ROUNDS = 20, 1_000
Mutation = Callable[[Session, random.Random], None]


def write(session: Session, number: int, *, city: str = "aonami") -> None:
    office = "ward" if number % 2 else "branch"
    details = {"office": office, "before": {"名前": "佐藤\x00\ud800"}, "n": [number, 0.1, None]}
    audit.record(
        session, municipality_id=city, actor="staff:1", action="account_changed", subject=f"account:{number}",
        details=details, at=AT + timedelta(seconds=number), key=KEY,
    )  # fmt: skip


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        for number in range(1, LENGTH + 1):
            write(session, number)
        yield session


def edit(session: Session, chance: random.Random) -> None:
    values: dict[str, object] = {
        "actor": "staff:2", "action": "nothing", "subject": "account:0", "at": AT - timedelta(days=1),
        "details": {"n": 0}, "chain": f"{chance.getrandbits(256):064x}",
    }  # fmt: skip
    name = chance.choice(sorted(values))
    session.execute(update(AuditEntry).where(AuditEntry.number == any_number(chance)).values({name: values[name]}))


def any_number(chance: random.Random) -> int:
    return chance.randint(1, LENGTH)


def remove(session: Session, chance: random.Random) -> None:
    """Also with the later ones moved up, so that no number is missing."""
    gone = chance.randint(1, LENGTH - 1)
    session.execute(delete(AuditEntry).where(AuditEntry.number == gone))
    if chance.random() < 0.5:
        for number in range(gone + 1, LENGTH + 1):
            session.execute(update(AuditEntry).where(AuditEntry.number == number).values(number=number - 1))


def put_in(session: Session, chance: random.Random) -> None:
    """A forged entry between two, at the end, or before the first, sealed without the key."""
    place = chance.randint(0, LENGTH + 1)
    for number in range(LENGTH, place - 1, -1) if place else ():
        session.execute(update(AuditEntry).where(AuditEntry.number == number).values(number=number + 1))
    copy = session.scalars(select(AuditEntry).where(AuditEntry.number != place).limit(1)).one()
    session.execute(
        insert(AuditEntry).values(
            municipality_id="aonami", number=place, at=copy.at, actor=copy.actor, action=copy.action,
            subject=copy.subject, details=copy.details, chain=chance.choice([copy.chain, "0" * 64]),
        )
    )  # fmt: skip


def swap(session: Session, chance: random.Random) -> None:
    one, other = chance.sample(range(1, LENGTH + 1), 2)
    for before, after in ((one, -1), (other, one), (-1, other)):
        session.execute(update(AuditEntry).where(AuditEntry.number == before).values(number=after))


def truncate(session: Session, chance: random.Random) -> None:
    session.execute(delete(AuditEntry).where(AuditEntry.number > chance.randint(0, LENGTH - 1)))


def test_a_thousand_mutations_are_found(session: Session) -> None:
    chance = random.Random(20260401)
    kept = audit.head(session, "aonami")
    assert (kept.number, audit.verify(session, "aonami", KEY, anchor=kept)) == (LENGTH, None)
    kinds: list[Mutation] = [edit, remove, put_in, swap, truncate]
    missed = []
    for turn in range(ROUNDS):
        kind = kinds[turn % len(kinds)]
        point = session.begin_nested()
        kind(session, chance)
        # Only a cut-off end needs the kept head; everything else is found without it.
        if audit.verify(session, "aonami", KEY, anchor=kept if kind is truncate else None) is None:
            missed.append((turn, kind.__name__))
        point.rollback()
    assert missed == []
    assert audit.verify(session, "aonami", KEY, anchor=kept) is None


def test_a_cut_off_end_is_seen_only_from_outside(session: Session) -> None:
    kept = audit.head(session, "aonami")
    session.execute(delete(AuditEntry).where(AuditEntry.number > LENGTH - 3))
    assert audit.verify(session, "aonami", KEY) is None
    assert audit.verify(session, "aonami", KEY, anchor=kept) == LENGTH - 2
    # Cut off and grown again, by somebody who even has the key.
    for number in range(LENGTH):
        write(session, 100 + number)
    assert audit.verify(session, "aonami", KEY) is None
    assert audit.verify(session, "aonami", KEY, anchor=kept) == LENGTH


def test_the_first_broken_number_is_told(session: Session) -> None:
    session.execute(update(AuditEntry).where(AuditEntry.number == 7).values(actor="staff:9"))
    assert audit.verify(session, "aonami", KEY) == 7
    assert audit.verify(session, "aonami", audit.chain_key("another secret")) == 1


def test_the_chain_goes_on_past_one_batch(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_BATCH", 7)
    assert audit.verify(session, "aonami", KEY) is None
    session.execute(update(AuditEntry).where(AuditEntry.number == 15).values(actor="staff:9"))
    assert audit.verify(session, "aonami", KEY) == 15


def test_each_municipality_has_its_own_chain(session: Session) -> None:
    session.add(Municipality(id="other", name={"ja": "よそ市"}, settings={}))
    session.flush()
    write(session, 1, city="other")
    assert audit.head(session, "other").number == 1
    assert audit.verify(session, "other", KEY) is None
    # An entry carried over to another chain breaks it.
    session.execute(delete(AuditEntry).where(AuditEntry.municipality_id == "aonami", AuditEntry.number == 1))
    session.execute(update(AuditEntry).where(AuditEntry.municipality_id == "other").values(municipality_id="aonami"))
    assert audit.verify(session, "aonami", KEY) == 1
    with pytest.raises(NotFound):
        write(session, 1, city="nowhere")


def test_pages_go_back_from_the_newest(session: Session) -> None:
    first = audit.page(session, "aonami", limit=3)
    assert [entry.number for entry in first] == [20, 19, 18]
    assert [entry.number for entry in audit.page(session, "aonami", before=18, limit=2)] == [17, 16]
    assert [entry.number for entry in audit.page(session, "aonami", office_id="ward", limit=2)] == [19, 17]
    assert audit.page(session, "nowhere") == []
    # What no database can read back as text is not let in.
    assert first[0].details["before"] == {"名前": "佐藤??"}
