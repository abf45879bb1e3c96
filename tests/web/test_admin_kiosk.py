"""The kiosk editor (T2, T4): words, order, times and colours as a draft, looked at, published, taken back."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Category, Offering
from app.services import kiosk_layout, publications
from app.services.publications import Kind
from tests.web.admin import Staff, log, sign_in, text_of

WARD = "/kiosk/ward"


@pytest.fixture
def who(web: Flask, database: Database) -> SimpleNamespace:
    return SimpleNamespace(
        nishimura=sign_in(web, database, Role.DEPARTMENT_ADMIN, login="nishimura", office="ward"),
        aoki=sign_in(web, database, Role.CITY_ADMIN, login="aoki"),
    )


def changes(database: Database) -> dict[str, Any]:
    with database.snapshot() as session:
        return {change.key: change.after for change in publications.draft(session, "ward", Kind.KIOSK).changes}


def order(database: Database) -> list[str]:
    with database.snapshot() as session:
        content = publications.draft(session, "ward", Kind.KIOSK).content
        return [str(name) for name in content["order"]]  # type: ignore[attr-defined]


def publish(staff: Staff, **fields: Any) -> Any:
    return staff.post(f"{WARD}/publish", page=f"{WARD}/publish", **fields)


def shown(database: Database) -> dict[str, str]:
    """The buttons of the published screen."""
    with database.snapshot() as session:
        screen = kiosk_layout.layout(session, "ward")
        return {each.id: each.title["ja"] for each in screen.purposes if not each.hidden}


def test_words_of_every_language_go_into_the_draft(who: SimpleNamespace, database: Database) -> None:
    fields = {
        "title.ja": "引っ越して来た",
        "title.en": "I moved here",
        "line.pt": "de outra cidade",
        "closes": "１６：45",
        "opens": "9:00",
    }
    assert who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **fields).status_code == 303
    assert changes(database) == {
        "purpose.move_in.title.ja": "引っ越して来た", "purpose.move_in.title.en": "I moved here",
        "purpose.move_in.line.pt": "de outra cidade", "purpose.move_in.closes": "16:45",
        "purpose.move_in.opens": "09:00",
    }  # fmt: skip
    assert shown(database)["move_in"] == "転入"
    page = who.nishimura.get(WARD, purpose="move_in", words="en").text
    assert "I moved here" in page
    assert "下書き・5か所 変更" in page
    assert log(database) == []


def test_fields_nobody_offered_are_not_applied(who: SimpleNamespace, database: Database) -> None:
    extra = {
        "category": "ward-tax", "services": "mibun", "hidden": "true", "title.tlh": "x", "order": "[]",
        "booked_only": "1",
        "purpose.inkan.title.ja": "x", "version": "9",
    }  # fmt: skip
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **{"title.ja": "来た"}, **extra)
    assert changes(database) == {"purpose.move_in.title.ja": "来た"}


def test_what_is_wrong_stands_beside_the_field_and_stops_publishing(who: SimpleNamespace, database: Database) -> None:
    who.nishimura.post(
        f"{WARD}/button/move_in", page=WARD, **{"title.ja": "ほかの市から引っ越して来た", "closes": "25:00"}
    )
    page = who.nishimura.get(WARD, purpose="move_in").text
    assert re.search(r'name="title.ja" value="ほかの市から引っ越して来た"[^>]*aria-invalid', page)
    assert "10文字までにしてください。いまは13文字です。" in page
    assert "時刻は 8:30 のように" in page
    asked = who.nishimura.get(f"{WARD}/publish")
    assert "このままでは公開できません" in asked.text
    assert "か所を公開する" not in asked.text
    refused = publish(who.nishimura)
    assert (refused.status_code, "直すところがあるため" in refused.text) == (422, True)
    assert shown(database)["move_in"] == "転入"


@pytest.mark.parametrize("colour", ["red", "", "javascript:alert(1)"])
def test_a_colour_of_ones_own_is_not_published(who: SimpleNamespace, database: Database, colour: str) -> None:
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, colour=colour)
    assert who.nishimura.get(WARD, purpose="move_in").status_code == 200
    assert publish(who.nishimura).status_code == 422
    with database.snapshot() as session:
        assert session.get_one(Category, "ward-moving").hue == "purple"


def test_buttons_move_by_keys_and_hide(who: SimpleNamespace, database: Database) -> None:
    before = order(database)
    moved = who.nishimura.post(f"{WARD}/button/move_in/move", page=WARD, to="up")
    assert order(database)[2] == "move_in"
    # The key that was pressed has the focus again, so that it can be pressed on.
    assert "focus=up" in moved.location
    assert "autofocus" in who.nishimura.client.get(moved.location).text
    who.nishimura.post(f"{WARD}/button/move_in/move", page=WARD, to="down")
    assert order(database) == before
    first = before[0]
    who.nishimura.post(f"{WARD}/button/{first}/move", page=WARD, to="up")
    assert order(database) == before
    who.nishimura.post(f"{WARD}/button/move_in/show", page=WARD, shown="no")
    assert changes(database) == {"purpose.move_in.hidden": True}
    assert "いま非表示" in who.nishimura.get(WARD).text
    who.nishimura.post(f"{WARD}/button/move_in/show", page=WARD, shown="yes")
    assert changes(database) == {}
    for path in ("none/move", "none/show", "none"):
        assert who.nishimura.post(f"{WARD}/button/{path}", page=WARD, shown="no").status_code == 404


def test_published_everywhere_and_back_again(who: SimpleNamespace, database: Database) -> None:
    fields = {"title.ja": "来た", "closes": "16:00", "colour": "ink"}
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **fields)
    asked = text_of(who.nishimura.get(f"{WARD}/publish"))
    for said in (
        "「来た」のボタンの言葉(日本語)",
        "転入",
        "ふだんの受付時間",
        "16:00",
        "B 住所の届出の色",
        "紫",
        "黒",
        "3か所を公開する",
    ):
        assert said in asked, said
    assert publish(who.nishimura).status_code == 303
    assert shown(database)["move_in"] == "来た"
    with database.snapshot() as session:
        assert session.get_one(Category, "ward-moving").hue == "ink"
        assert session.get_one(Offering, ("ward", "tennyu")).closed_times == [[960, 1440]]
    assert log(database) == [("kiosk_published", f"staff:{who.nishimura.account_id}")]
    history = text_of(who.nishimura.get(f"{WARD}/history"))
    assert "第2版" in history
    assert "nishimura さん" in history

    back = who.nishimura.post(f"{WARD}/restore", page=f"{WARD}/history", version="1")
    assert back.location.startswith("/admin/kiosk/ward/publish")
    assert shown(database)["move_in"] == "来た"
    assert publish(who.nishimura).status_code == 303
    assert shown(database)["move_in"] == "転入"
    with database.snapshot() as session:
        assert session.get_one(Category, "ward-moving").hue == "purple"
        assert publications.current(session, "ward", Kind.KIOSK).version == 3
    for version in ("9", "x", "", "-1", "9" * 30):
        status = who.nishimura.post(f"{WARD}/restore", page=f"{WARD}/history", version=version).status_code
        assert status in (404, 422)


def test_somebody_published_meanwhile(who: SimpleNamespace, database: Database) -> None:
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **{"title.ja": "来た"})
    seen = who.nishimura.form(f"{WARD}/publish")
    assert publish(who.aoki).status_code == 303
    who.aoki.post(f"{WARD}/button/care", page=WARD, **{"title.ja": "介護"})
    late = who.nishimura.client.post("/admin/kiosk/ward/publish", data=seen)
    assert (late.status_code, "aoki さんさんが" in text_of(late)) == (409, True)
    assert "ほかの職員が公開しました" in late.text
    assert shown(database)["care"] != "介護"
    # Knowing what stands now, the same person publishes with one more press.
    again = {name: re.search(rf'name="{name}" value="([^"]*)"', late.text)[1] for name in seen}  # type: ignore[index]
    assert again["based_on"] == "2"
    assert who.nishimura.client.post("/admin/kiosk/ward/publish", data=again).status_code == 303
    assert shown(database)["care"] == "介護"


def test_pressed_twice_publishes_once(who: SimpleNamespace, database: Database) -> None:
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **{"title.ja": "来た"})
    form = who.nishimura.form(f"{WARD}/publish")
    answers = [who.nishimura.client.post("/admin/kiosk/ward/publish", data=form).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert log(database) == [("kiosk_published", f"staff:{who.nishimura.account_id}")]
    assert publish(who.nishimura, based_on="2").status_code == 400
    assert publish(who.nishimura, based_on="2", idempotency_key="another-key").status_code == 409


@pytest.mark.parametrize("based_on", ["", "x", "-1", "9" * 30, "²"])
def test_a_version_that_is_none(who: SimpleNamespace, based_on: str) -> None:
    assert publish(who.nishimura, based_on=based_on, idempotency_key="a-key-of-ours").status_code == 422


def test_one_change_is_taken_back_the_others_stay(who: SimpleNamespace, database: Database) -> None:
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **{"title.ja": "来た", "title.en": "Came"})
    who.nishimura.post(f"{WARD}/take-back", page=WARD, key="purpose.move_in.title.en")
    assert changes(database) == {"purpose.move_in.title.ja": "来た"}
    assert who.nishimura.post(f"{WARD}/take-back", page=WARD, key="purpose.move_in.title.en").status_code == 404
    assert who.nishimura.post(f"{WARD}/take-back", page=WARD, key="\x00").status_code == 404
    # Asked first: the page that asks changes nothing.
    assert "1か所の変更が、すべて消えます" in text_of(who.nishimura.get(f"{WARD}/discard"))
    assert changes(database)
    who.nishimura.post(f"{WARD}/discard", page=WARD)
    assert changes(database) == {}


def test_words_are_text_on_every_screen(who: SimpleNamespace, web: Flask, database: Database) -> None:
    evil = "<b>x</b>"
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **{"title.ja": evil, "title.en": evil, "line.ja": "&lt;"})
    for page in (WARD, f"{WARD}?purpose=move_in", f"{WARD}/publish", f"{WARD}/discard"):
        assert evil not in who.nishimura.get(page).text
    assert publish(who.nishimura).status_code == 303
    assert shown(database)["move_in"] == evil
    assert evil not in who.nishimura.get(f"{WARD}/history").text
    assert evil not in web.test_client().get("/kiosk/ward").text


def test_what_cannot_be_printed_is_left_out(who: SimpleNamespace, database: Database) -> None:
    sent = {"title.ja": "来\x00た\u202e", "title.en": "x" * 500, "line.en": "e\u0301"}
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **sent)
    found = changes(database)
    assert found["purpose.move_in.title.ja"] == "来た"
    assert len(found["purpose.move_in.title.en"]) == 200
    assert found["purpose.move_in.line.en"] == "é"


def test_the_screen_at_another_hour(who: SimpleNamespace) -> None:
    late, early = (text_of(who.nishimura.get(WARD, clock=clock)) for clock in ("23:00", "nonsense"))
    assert "受付終了" in late
    assert "受付終了" not in early


def test_saving_leads_on_to_publishing(who: SimpleNamespace, database: Database) -> None:
    answer = who.nishimura.post(f"{WARD}/button/move_in", page=WARD, then="publish", **{"title.ja": "来た"})
    assert answer.location == "/admin/kiosk/ward/publish"
    assert changes(database)


def test_languages_without_words_are_named_and_published(who: SimpleNamespace) -> None:
    who.nishimura.post(f"{WARD}/button/move_in", page=WARD, **{"title.vi": ""})
    assert "VI 未記入" in text_of(who.nishimura.get(WARD, purpose="move_in"))
    assert "まだ言葉がない言語: Tiếng Việt" in text_of(who.nishimura.get(f"{WARD}/publish"))
    assert publish(who.nishimura).status_code == 303
