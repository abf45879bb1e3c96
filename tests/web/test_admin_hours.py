"""The hours screen: days, rules and closures as drafts, refused beside the field, published with what they change."""

import re
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.db.session import Database
from app.domain.calendar import business_date, instant
from app.domain.roles import Role
from app.models.booking import Booking
from app.models.place import Offering, Office
from app.services import hours, publications
from app.services.publications import Kind
from app.web.admin import hours_forms
from tests.web.admin import log, sign_in, text_of

WARD = "/hours/ward"
OPEN = {"kind": "open", "open1": "9:00", "close1": "15：00", "reception1": "14:45"}
DAY = "2099-04-18"  # a Saturday that no rule opens


@pytest.fixture
def who(web: Flask, database: Database) -> SimpleNamespace:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = {name: value for name, value in office.settings.items() if name != "training"}
    return SimpleNamespace(
        nishimura=sign_in(web, database, Role.DEPARTMENT_ADMIN, login="nishimura", office="ward"),
        aoki=sign_in(web, database, Role.CITY_ADMIN, login="aoki"),
    )


def changes(database: Database) -> dict[str, Any]:
    with database.snapshot() as session:
        return {change.key: change.after for change in publications.draft(session, "ward", Kind.HOURS).changes}


def day(who: SimpleNamespace, the_day: str = DAY, **fields: Any) -> Any:
    return who.nishimura.post(f"{WARD}/day/{the_day}", page=WARD, **fields)


def test_a_saturday_is_opened_for_some_lines(who: SimpleNamespace, database: Database) -> None:
    fields = OPEN | {
        "categories": ["ward-moving", "ward-certificates"],
        "note.ja": "引っ越しの季節は開けます",
        "note.en": "Open",
    }
    assert day(who, **fields).status_code == 303
    assert changes(database) == {
        f"special.{DAY}": {
            "intervals": [{"open": "09:00", "close": "15:00", "reception_close": "14:45"}],
            "note": {"ja": "引っ越しの季節は開けます", "en": "Open"},
            "categories": ["ward-certificates", "ward-moving"],
        }
    }
    page = text_of(who.nishimura.get(WARD, day=DAY))
    for said in (
        "4月18日(土)だけの時間",
        "ふだんなら: 休み",
        "4月18日(土)は、9:00〜15:00に開いています",
        "引っ越しの季節は開けます",
        "下書き・1か所",
    ):
        assert said in page, said
    # Left to the usual hours again, nothing is left of it.
    assert day(who, kind="usual").status_code == 303
    assert changes(database) == {}


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"kind": "open"}, "open", "開く時刻と閉じる時刻"),
        ({"kind": "open", "open1": "9時", "close1": "15:00"}, "open", "開く時刻と閉じる時刻"),
        ({"kind": "open", "open1": "9:00"}, "open", "開く時刻と閉じる時刻"),
        ({"kind": "nonsense", "open1": "9:00", "close1": "15:00"}, "open", "開く時刻と閉じる時刻"),
        (OPEN | {"close1": "8:00", "reception1": ""}, "close", "後になるように"),
        (OPEN | {"reception1": "16:00"}, "close", "後になるように"),
        (OPEN | {"open2": "14:00", "close2": "17:00"}, "close", "重なっています"),
        (OPEN | {"note.ja": "あ" * 41}, "note", "40文字まで"),
        (OPEN | {"categories": ["branch-moving"]}, "categories", "この庁舎にない列"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    who: SimpleNamespace, database: Database, fields: dict[str, Any], field: str, said: str
) -> None:
    answer = day(who, **fields)
    assert answer.status_code == 422
    assert re.search(rf'id="err-{field}">[^§]*?{said}', answer.text)
    assert changes(database) == {}
    # What was typed is still in the form.
    for name in ("open1", "close1"):
        if ":" in fields.get(name, ""):
            assert re.search(rf'name="{name}" value="\d', answer.text)


def test_a_day_that_is_over(who: SimpleNamespace, database: Database) -> None:
    answer = day(who, "2020-04-04", **OPEN)
    assert (answer.status_code, "過ぎた日は変えられません" in answer.text) == (422, True)
    assert day(who, "2020-04-04", kind="usual").status_code == 303
    for wrong in ("2026-02-30", "x", "99999-01-01"):
        assert day(who, wrong, **OPEN).status_code == 404


def test_two_openings_of_a_day(who: SimpleNamespace, database: Database) -> None:
    assert day(who, **OPEN, open2="16:00", close2="17:00").status_code == 303
    found = changes(database)[f"special.{DAY}"]["intervals"]
    assert [each["reception_close"] for each in found] == ["14:45", "17:00"]


def test_fields_nobody_offered_are_not_applied(who: SimpleNamespace, database: Database) -> None:
    day(who, kind="closed", **{"note.ja": "休みます", "note.tlh": "x", "note": "x", "intervals": "[]", "special": "x"})
    assert changes(database) == {f"special.{DAY}": {"intervals": [], "note": {"ja": "休みます"}, "categories": []}}


def rule(who: SimpleNamespace, name: str = "new", **fields: Any) -> Any:
    given = {"days": ["sat"], "open1": "9:00", "close1": "12:00", "reception1": "11:45"}
    return who.nishimura.post(f"{WARD}/rule/{name}", page=WARD, **(given | fields))


def test_usual_hours_are_added_changed_and_removed(who: SimpleNamespace, database: Database) -> None:
    answer = rule(who, nth=["1", "3", "9"], **{"from": "3/25", "to": "4月5日"})
    assert "rule=05" in answer.location
    assert changes(database) == {
        "rule.05": {
            "days": ["sat"], "nth": [1, 3], "season": {"from": "03-25", "to": "04-05"}, "categories": [], "note": None,
            "open": "09:00", "close": "12:00", "reception_close": "11:45",
        }
    }  # fmt: skip
    assert "第1・第3 土曜 3/25〜4/5" in text_of(who.nishimura.get(WARD))
    assert rule(who, "05", days=["sun"]).status_code == 303
    assert changes(database)["rule.05"]["days"] == ["sun"]
    assert who.nishimura.post(f"{WARD}/rule/05/remove", page=WARD).status_code == 303
    assert changes(database) == {}
    assert who.nishimura.post(f"{WARD}/rule/05/remove", page=WARD).status_code == 404
    assert rule(who, "05").status_code == 404


def test_a_rule_saved_as_it_is_changes_nothing(who: SimpleNamespace, database: Database) -> None:
    """The form of the Thursday evening, sent back as the screen shows it."""
    page = who.nishimura.get(WARD, rule="02").text
    form: dict[str, Any] = dict(re.findall(r'<input type="text"[^>]*name="([^"]+)" value="([^"]*)"', page))
    form["days"] = re.findall(r'name="days" value="([^"]+)" checked', page)
    form["categories"] = re.findall(r'name="categories" value="([^"]+)" checked', page)
    assert form["days"] == ["thu"]
    assert len(form["categories"]) == 3
    assert who.nishimura.post(f"{WARD}/rule/02", page=WARD, **form).status_code == 303
    assert changes(database) == {}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"days": []}, "days"),
        ({"days": ["someday"]}, "days"),
        ({"open1": "", "close1": ""}, "open"),
        ({"open1": "12:00", "close1": "9:00", "reception1": ""}, "close"),
        ({"from": "3/25"}, "season"),
        ({"from": "13/1", "to": "2/30"}, "season"),
        ({"categories": ["nowhere"]}, "categories"),
        ({"note.ja": "あ" * 41}, "note"),
    ],
)
def test_a_rule_that_is_none(who: SimpleNamespace, database: Database, fields: dict[str, Any], field: str) -> None:
    answer = rule(who, **fields)
    assert answer.status_code == 422
    assert f'id="err-{field}"' in answer.text
    assert changes(database) == {}


def test_rules_do_not_grow_without_end(
    who: SimpleNamespace, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hours_forms, "_MOST_ENTRIES", 4)
    answer = rule(who)
    assert (answer.status_code, "これ以上は足せません" in answer.text) == (422, True)


def test_closures_and_holidays(who: SimpleNamespace, database: Database) -> None:
    fields = {"from": "8/13", "to": "8/15", "note.ja": "お盆", "note.en": "Obon"}
    assert who.nishimura.post(f"{WARD}/closure/new", page=WARD, **fields).status_code == 303
    assert changes(database)["closure.02"] == {"from": "08-13", "to": "08-15", "name": {"ja": "お盆", "en": "Obon"}}
    for wrong, field in (({"note.ja": ""}, "note"), ({"from": ""}, "season"), ({"from": "", "to": ""}, "season")):
        answer = who.nishimura.post(f"{WARD}/closure/new", page=WARD, **(fields | wrong))
        assert (answer.status_code, f'id="err-{field}"' in answer.text) == (422, True)
    who.nishimura.post(f"{WARD}/holidays", page=WARD, closed="no")
    assert changes(database)["holidays"] == {"closed": False}
    who.nishimura.post(f"{WARD}/closure/02/remove", page=WARD)
    who.nishimura.post(f"{WARD}/holidays", page=WARD, closed="yes")
    assert changes(database) == {}


def test_published_with_the_days_it_changes(who: SimpleNamespace, database: Database) -> None:
    rule(who, "01", days=["mon", "tue", "wed", "thu", "fri"], open1="8:30", close1="17:00", reception1="16:45")
    asked = text_of(who.nishimura.get(f"{WARD}/publish"))
    assert re.search(r"8:30〜17:15 → +8:30〜17:00", asked)
    assert re.search(r"ほか \d+日", asked)
    assert "いま待っている人はいません" in asked
    answer = who.nishimura.post(f"{WARD}/publish", page=f"{WARD}/publish")
    assert answer.status_code == 303
    with database.snapshot() as session:
        (monday,) = hours.opening(session, "ward", date(2026, 6, 1))
    assert f"{monday.closes:%H:%M}" == "17:00"
    assert log(database) == [("hours_published", f"staff:{who.nishimura.account_id}")]
    history = text_of(who.nishimura.get(f"{WARD}/history"))
    assert "ふだんの時間: 月・火・水・木・金" in history
    assert who.nishimura.post(f"{WARD}/restore", page=f"{WARD}/history", version="1").status_code == 303
    assert list(changes(database)) == ["rule.01"]


def book(
    database: Database, reference: str, day: date, *, line: str = "ward-certificates", service: str = "juminhyo"
) -> None:
    at = instant(day, time(10))
    with database.transaction() as session:
        session.add(
            Booking(
                municipality_id="aonami", office_id="ward", state="booked", reference=reference, seed=reference,
                token_hash=reference, category_id=line, services=[service], plan=[], party=1, business_date=day,
                start_at=at, end_at=at + timedelta(minutes=15), no_show_at=at + timedelta(minutes=15), language="ja",
                channel="web", staff=False, created_at=at, changed_at=at, moves=0,
            )
        )  # fmt: skip


def test_who_stands_in_a_line_that_is_gone_is_told_before_publishing(who: SimpleNamespace, database: Database) -> None:
    at = datetime.now(UTC)
    with database.transaction() as session:
        for offering in session.scalars(select(Offering).where(Offering.category_id == "ward-moving")):
            offering.active = False
    rule(who, "01", days=["mon"], open1="8:30", close1="17:00", reception1="16:45")
    book(database, "R1", business_date(at) + timedelta(days=1))
    assert "もう扱わない列" not in text_of(who.nishimura.get(f"{WARD}/publish"))
    book(database, "R2", business_date(at) + timedelta(days=1), line="ward-moving", service="tennyu")
    told = text_of(who.nishimura.get(f"{WARD}/publish"))
    assert "もう扱わない列に、人が残っています" in told
    assert "B 住所の届出: これからの予約1件" in told


def test_a_day_with_bookings_is_closed_only_knowingly(who: SimpleNamespace, database: Database) -> None:
    """The count that was ticked is the count there is: one more booking, and it is asked again."""
    soon = business_date(datetime.now(UTC)) + timedelta(days=14)
    with database.snapshot() as session:
        while not hours.opening(session, "ward", soon):
            soon += timedelta(days=1)

    book(database, "R1", soon)
    assert day(who, soon.isoformat(), kind="closed", **{"note.ja": "工事"}).status_code == 303
    to = f"{WARD}/publish"
    assert "予約が1件あります" in text_of(who.nishimura.get(to))
    refused = who.nishimura.post(to, page=to)
    assert (refused.status_code, "印を付けてから" in text_of(refused)) == (409, True)
    book(database, "R2", soon)
    for said in ("1", "-5", "9" * 40, "two"):
        assert who.nishimura.post(to, page=to, stranding=said).status_code == 409
    assert who.nishimura.post(to, page=to, stranding="2").status_code == 303
    with database.snapshot() as session:
        assert list(hours.opening(session, "ward", soon)) == []
        assert {each.state for each in session.scalars(select(Booking))} == {"booked"}


def test_words_are_text(who: SimpleNamespace) -> None:
    evil = "<b>x</b>"
    day(who, kind="closed", **{"note.ja": evil})
    who.nishimura.post(f"{WARD}/closure/new", page=WARD, **{"from": "8/13", "to": "8/15", "note.ja": evil})
    for path in (WARD, f"{WARD}?day={DAY}", f"{WARD}?month=2099-04", f"{WARD}/publish", f"{WARD}/discard"):
        assert evil not in who.nishimura.get(path).text


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_months_run_over_the_year(who: SimpleNamespace, lang: str) -> None:
    page = who.nishimura.client.get("/admin/hours/ward", query_string={"month": "2026-12", "lang": lang}).text
    assert "month=2026-11" in page
    assert "month=2027-01" in page
    assert "年末年始" in page


def test_a_training_is_begun_and_ended_on_the_screen(who: SimpleNamespace, database: Database) -> None:
    assert "訓練中" not in who.nishimura.get(WARD).text
    assert who.nishimura.post(f"{WARD}/training", page=WARD, on="yes").status_code == 303
    page = text_of(who.nishimura.get(WARD, done="training"))
    assert "訓練を始めました" in page
    assert page.count("訓練中") >= 2
    home = who.nishimura.client.get("/o/ward").text
    assert "本当の手続きには使えません" in home
    assert "受付時間外" not in home
    assert who.nishimura.post(f"{WARD}/training", page=WARD).status_code == 422
    assert who.nishimura.post(f"{WARD}/training", page=WARD, on="no").status_code == 303
    assert "訓練中" not in text_of(who.nishimura.get(WARD))
    assert "本当の手続きには使えません" not in who.nishimura.client.get("/o/ward").text
    assert [line for line in log(database) if line[0].startswith("training")]
