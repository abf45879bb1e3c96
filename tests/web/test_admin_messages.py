"""Texts of messages are edited with their cost before one's eyes; faults are said; figures are of one's own office."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.db.session import Database
from app.domain.delivery import Channel, Occasion
from app.domain.roles import Role
from app.models.delivery import Delivery, MessageTemplate
from app.models.people import AuditEntry
from app.services import message_texts, messages_report
from tests.services.messages import put
from tests.web.admin import sign_in, text_of

TEXT = "【{市}】{番号}番 あと{人数}人。{短いURL}"


@pytest.fixture
def who(web: Flask, database: Database) -> SimpleNamespace:
    return SimpleNamespace(
        ward=sign_in(web, database, Role.DEPARTMENT_ADMIN, login="nishimura", office="ward"),
        branch=sign_in(web, database, Role.DEPARTMENT_ADMIN, login="hara", office="branch"),
        clerk=sign_in(web, database, Role.CLERK, login="sato", office="ward"),
    )


def in_force(database: Database, language: str = "ja") -> str:
    with database.snapshot() as session:
        return message_texts.text(session, "aonami", Occasion.SOON, language).short


def test_a_text_is_changed_seen_and_put_back(who: SimpleNamespace, database: Database) -> None:
    page = text_of(who.ward.get("/messages", occasion="soon"))
    assert "B088番 あと3人、約8〜14分(目安)" in page
    form = {"page": "/messages", "occasion": "soon", "language": "ja", "short": TEXT, "subject": "もうすぐ", "long": ""}
    assert who.ward.post("/messages", version="0", **form).status_code == 303
    assert in_force(database) == TEXT
    assert "Your turn" not in in_force(database, "en")
    assert "B088番 あと3人。" in text_of(who.ward.get("/messages", occasion="soon"))
    with database.snapshot() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "message_changed")).one()
        assert entry.details["after"] == {"short": TEXT}
    assert who.ward.post("/messages", version="1", act="ours", **form).status_code == 303
    assert in_force(database).startswith("【{市}】{番号}番 あと{人数}人[、")


@pytest.mark.parametrize(
    ("short", "said"),
    [
        ("{番号} {名前}", "{名前} は、ここでは使えません"), ("あと{人数}人", "{番号} がありません"),
        ("", "本文を入れてください"),
        ("{番号", "{ と } が合っていません"), ("{番号}" + "あ" * 601, "600文字まで"),
    ],
)  # fmt: skip
def test_a_text_with_a_fault_is_not_published(who: SimpleNamespace, database: Database, short: str, said: str) -> None:
    form = {"page": "/messages", "occasion": "soon", "language": "ja", "subject": "x", "long": "", "version": "0"}
    answer = who.ward.post("/messages", short=short, **form)
    assert answer.status_code == 422
    assert said in text_of(answer)
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(MessageTemplate)) == 0


def test_a_preview_publishes_nothing(who: SimpleNamespace, database: Database) -> None:
    before = in_force(database)
    form = {"page": "/messages", "occasion": "soon", "language": "ja", "subject": "x", "long": "", "version": "0"}
    answer = who.ward.post("/messages", short="{番号}" + "あ" * 80, act="preview", **form)
    assert answer.status_code == 200
    assert "84字・2通" in text_of(answer)
    assert in_force(database) == before


def test_two_editors_do_not_overwrite_each_other(who: SimpleNamespace, database: Database) -> None:
    form = {"page": "/messages", "occasion": "soon", "language": "ja", "subject": "x", "long": "", "version": "0"}
    assert who.ward.post("/messages", short="{番号} 1", **form).status_code == 303
    answer = who.branch.post("/messages", short="{番号} 2", **form)
    assert answer.status_code == 409
    assert "{番号} 2" in text_of(answer), "what was typed is still there"
    assert in_force(database) == "{番号} 1"


def test_figures_are_of_ones_own_office_and_an_old_message_is_an_alarm(
    who: SimpleNamespace, database: Database
) -> None:
    at = datetime.now(UTC) - timedelta(minutes=7)
    number = put(database, at=at)
    put(database, "2", at=at, channel=Channel.EMAIL, to="a@example.jp")
    with database.transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.id == number)
            .values(state="failed", reason="switched_off", ended_at=at, cost_yen=12, sent_at=at + timedelta(seconds=3))
        )
    page = " ".join(text_of(who.ward.get("/messages")).split())
    assert "いちばん古い知らせが、7分 送られずに残っています。" in page
    assert "電源が切れている・圏外" in page
    assert "12円" in page
    other = text_of(who.branch.get("/messages"))
    assert "この7日間に送った知らせはありません" in other
    assert "いちばん古い" not in other


def test_it_is_not_a_clerks_screen(who: SimpleNamespace) -> None:
    assert who.clerk.get("/messages").status_code == 403
    assert who.clerk.post("/messages").status_code == 403


def test_the_operator_sees_the_oldest_message(web: Flask, database: Database) -> None:
    put(database, at=datetime.now(UTC) - timedelta(minutes=7))
    page = web.test_client().get("/metrics").text
    age = next(
        float(line.split()[1]) for line in page.splitlines() if line.startswith("madoguchi_message_oldest_seconds ")
    )
    assert 415 < age < 450
    assert 'madoguchi_messages{state="queued"} 1.0' in page
    with database.snapshot() as session:
        assert messages_report.open_counts(session) == {"queued": 1}
