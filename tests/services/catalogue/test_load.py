"""The municipality's files in the database: loaded twice without change, followed when they change."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.db.base import Base
from app.db.session import Database
from app.domain.calling import Policy
from app.domain.errors import NotFound
from app.models.place import Category, Counter, Notice, Offering, Office, WorkProfile
from app.models.publication import Publication
from app.services import catalogue, events, kiosk_layout
from app.services.catalogue_load import load_document
from config.document import MunicipalityDocument
from config.document_office import PolicyDials
from config.document_words import LANGUAGES
from config.municipality import SAMPLE, load

SETUP = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
LATER = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


def everything(db: Database) -> dict[str, Sequence[Any]]:
    """Every row of every table."""
    with db.snapshot() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table)).all())) for table in Base.metadata.sorted_tables
        }


@pytest.fixture(scope="module")
def document() -> MunicipalityDocument:
    return load(SAMPLE)


def test_the_sample_loads_twice_without_change(empty_db: Database, document: MunicipalityDocument) -> None:
    with empty_db.transaction() as session:
        first = load_document(session, document, at=SETUP)
    before = everything(empty_db)
    with empty_db.transaction() as session:
        second = load_document(session, load(SAMPLE), at=LATER)
    assert first.added > 200
    assert (second.added, second.changed) == (0, 0)
    assert everything(empty_db) == before


def test_every_service_has_all_eight_languages(city: Database) -> None:
    with city.snapshot() as session:
        offered = catalogue.services(session, "ward", at=LATER)
    assert len(offered) == 44
    for item in offered:
        assert set(item.service.name) == set(LANGUAGES)
        assert all(text.strip() for text in item.service.name.values())
        assert all(set(document["name"]) == set(LANGUAGES) for document in item.service.documents)


def test_the_dials_of_a_category_are_those_of_the_policy(city: Database) -> None:
    assert PolicyDials().model_dump() == {name: getattr(Policy(), name) for name in Policy.__slots__}
    with city.snapshot() as session:
        category = session.get_one(Category, "ward-my_number")
        assert Policy(**category.policy) == Policy(allowance=45, late_grace=10)
        assert category.numbers == {"digits": 3, "skip": [4, 9, 42, 49]}


def test_what_runs_and_what_staff_published_survives_loading_again(
    empty_db: Database, document: MunicipalityDocument
) -> None:
    with empty_db.transaction() as session:
        load_document(session, document, at=SETUP)
    with empty_db.transaction() as session:
        office = events.lock_office(session, "ward")
        events.append(session, office, action="test", actor="test", at=LATER)
        office.settings = {**office.settings, "training": True}
        session.get_one(Counter, "ward-3").state = "open"
        kiosk_layout.edit(session, office_id="ward", key="colour.ward-moving", value="ink", actor="nishimura", at=LATER)
        kiosk_layout.publish(session, office_id="ward", based_on=1, actor="nishimura", at=LATER)
        session.add(Notice(office_id="ward", level="warning", words={"ja": "停止中"}))
    with empty_db.transaction() as session:
        again = load_document(session, document, at=LATER)
    assert (again.added, again.changed) == (0, 0)
    with empty_db.snapshot() as session:
        office = catalogue.office(session, "ward")
        assert (office.seq, office.epoch, office.settings["training"]) == (2, "20260301000000", True)
        assert session.get_one(Counter, "ward-3").state == "open"
        assert session.get_one(Category, "ward-moving").hue == "ink"
        assert session.scalar(select(Notice.level).where(Notice.code.is_(None))) == "warning"


def test_changed_files_are_followed(empty_db: Database, document: MunicipalityDocument) -> None:
    with empty_db.transaction() as session:
        load_document(session, document, at=SETUP)
    ward, branch = document.offices
    notices = tuple(item.model_copy(update={"level": "info"}) for item in ward.notices)
    categories = tuple(
        item.model_copy(
            update={"services": tuple(s for s in item.services if s != "mibun"), "target_minutes": 12, "hue": "rust"}
        )
        for item in ward.categories
    )
    changed = document.model_copy(
        update={
            "offices": (ward.model_copy(update={"categories": categories, "notices": notices}), branch),
            "services": tuple(
                item.model_copy(update={"fee": item.fee.model_copy(update={"yen": 400})})
                if item.id == "juminhyo"
                else item
                for item in document.services
            ),
        }
    )
    with empty_db.transaction() as session:
        loaded = load_document(session, changed, at=LATER)
    # Ten categories, four notices, one service, one offering switched off.
    assert (loaded.added, loaded.changed) == (0, 16)
    with empty_db.snapshot() as session:
        services = {item.service.id: item.service for item in catalogue.services(session, "ward", at=LATER)}
        assert services["juminhyo"].fee_yen == 400
        assert "mibun" not in services
        assert session.get_one(Offering, ("ward", "mibun")).active is False
        assert session.get_one(Category, "ward-tax").target_minutes == 12
        assert session.get_one(Category, "ward-tax").hue == "slate"


def test_profiles_and_counters_name_each_other(city: Database) -> None:
    with city.snapshot() as session:
        profile = session.get_one(WorkProfile, "ward-moving_help")
        assert profile.lines == [
            {"category": "ward-moving", "after_minutes": None},
            {"category": "ward-certificates", "after_minutes": 20},
        ]
        counter = session.get_one(Counter, "ward-5")
        assert (counter.number, counter.default_profile_id, counter.hall_id) == (
            "5",
            "ward-moving_help",
            "ward-citizen",
        )
        assert session.get_one(Counter, "ward-1").default_profile_id is None


def test_an_office_in_full(city: Database) -> None:
    with city.snapshot() as session:
        (tenant,) = [catalogue.municipality(session)]
        assert [office.id for office in catalogue.offices(session, tenant.id)] == ["ward", "branch"]
        ward = catalogue.office_detail(session, "ward", at=LATER, municipality_id="aonami")
    assert [len(part) for part in (ward.halls, ward.categories, ward.counters)] == [3, 10, 24]
    assert [category.prefix for category in ward.categories] == list("ABCDEFGHKP")
    assert ward.open
    assert ward.counters[0].number == "1"


def test_another_municipality_sees_nothing(city: Database) -> None:
    with city.snapshot() as session:
        assert catalogue.offices(session, "elsewhere") == []
        for look in (
            lambda: catalogue.office(session, "ward", municipality_id="elsewhere"),
            lambda: catalogue.office_detail(session, "ward", at=LATER, municipality_id="elsewhere"),
            lambda: catalogue.services(session, "ward", at=LATER, municipality_id="elsewhere"),
            lambda: catalogue.services(session, "nowhere", at=LATER),
            lambda: catalogue.municipality(session, "elsewhere"),
            lambda: catalogue.phrase(session, "elsewhere", "call"),
        ):
            with pytest.raises(NotFound):
                look()


def test_an_empty_database_has_no_municipality(empty_db: Database) -> None:
    with empty_db.snapshot() as session, pytest.raises(NotFound):
        catalogue.municipality(session)


def test_sensitive_services_have_a_public_name_of_their_own(city: Database) -> None:
    with city.snapshot() as session:
        services = {item.service.id: item.service for item in catalogue.services(session, "ward", at=LATER)}
    assert services["divorce"].sensitive
    assert services["divorce"].public_name["ja"] == "相談"
    assert services["juminhyo"].public_name == services["juminhyo"].name
    with city.snapshot() as session:
        care = session.get_one(Category, "ward-care")
        assert (care.public_name["ja"], care.neutral_name["ja"]) == ("介護・障がい福祉", "相談")
        assert session.get_one(Category, "ward-certificates").neutral_name == {}


def test_phrases_and_the_guide(city: Database) -> None:
    with city.snapshot() as session:
        call = catalogue.phrase(session, "aonami", "call")
        spoken = catalogue.phrase(session, "aonami", "call", spoken=True)
        near = catalogue.phrase(session, "aonami", "near", spoken=True)
        life_events = catalogue.items(session, "aonami", "life_event")
        questions = catalogue.items(session, "aonami", "question")
    assert call["ja"].format(number="A042", counter=3) == "番号札A042番の方、3番窓口へお越しください。"
    assert "かた" in spoken["ja"]
    assert near["en"].format(ahead=3).startswith("Almost your turn (3 ahead)")
    assert next(iter(life_events)) == "move_in"
    assert {
        step["when"]["question"] for event in life_events.values() for step in event["steps"] if step["when"]
    } <= set(questions)


def test_a_published_first_version_exists_for_each_office(city: Database) -> None:
    with city.snapshot() as session:
        found = session.execute(select(Publication.office_id, Publication.kind, Publication.version)).all()
        assert session.scalars(select(Office.id).order_by(Office.position)).all() == ["ward", "branch"]
    assert sorted(tuple(row) for row in found) == [
        (office, kind, 1) for office in ("branch", "ward") for kind in ("hours", "kiosk")
    ]
