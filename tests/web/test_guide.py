"""The guide over HTTP without a script: questions, a plan by its code, the printed sheet, and what is kept secret."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.paper import press
from app.web.locale import LANGUAGES

ANSWERS = {
    "day": "2026-03-27", "mnc": "yes", "seal": "no", "insurance": "kokuho", "pension": "no", "children": "yes",
    "nursery": "no", "care": "no", "disability": "no", "moped": "no", "certificate": "yes",
}  # fmt: skip
ASK, PLAN = "/o/ward/guide/ask/move_in", "/o/ward/guide/plan/"


@pytest.fixture
def code(client: FlaskClient) -> str:
    """The code of a family of the sample that moved in."""
    end = client.get(ASK, query_string=ANSWERS)
    assert end.status_code == 303
    found = re.search(r"/plan/(\w+)\?day=2026-03-27$", end.location)
    assert found
    return found[1]


def test_each_answer_leads_to_the_next_question_and_back(client: FlaskClient) -> None:
    given: dict[str, str] = {}
    names = list(ANSWERS)
    for number, name in enumerate(names, start=1):
        page = client.get(ASK, query_string=given).text
        assert f"質問 {number} / {len(names)}" in page
        assert f'name="{name}"' in page
        for kept, value in given.items():
            assert f'type="hidden" name="{kept}" value="{value}"' in page
        given[name] = ANSWERS[name]


def test_the_plan_has_procedures_days_fees_and_documents(client: FlaskClient, code: str) -> None:
    page = client.get(f"{PLAN}{code}?day=2026-03-27").text
    titles = re.findall(r'<p class="st">(.*?)</p>', page)
    assert titles == [
        "転入届", "カードの住所・氏名の変更(継続利用)", "国民健康保険の加入", "児童手当", "子ども医療費助成",
        "住民票の写し",
    ]  # fmt: skip
    assert "手続きは6つ。1回の来庁で できます" in page
    assert "4月10日(金)まで" in page
    assert "300円" in page
    assert "4〜7番窓口" in page
    assert page.count("<b>本人確認書類</b>") == 1  # asked by several procedures, told once


def test_without_a_day_the_deadline_stays_in_words(client: FlaskClient, code: str) -> None:
    page = client.get(PLAN + code).text
    assert "住み始めてから14日以内" in page
    assert "4月10日" not in page


def test_the_end_can_be_seen_without_answering(client: FlaskClient) -> None:
    end = client.get(f"{ASK}?mnc=no&end=1")
    assert end.status_code == 303
    page = client.get(end.location).text
    assert "介護" in page  # what is not known stays a candidate
    assert "カードの住所・氏名の変更" not in page


@pytest.mark.parametrize("day", ["x", "2026-02-30", "令和元年1月1日", "99999"])
def test_a_day_that_is_none_is_asked_again(client: FlaskClient, day: str) -> None:
    page = client.get(ASK, query_string={"day": day})
    assert page.status_code == 200
    assert 'id="day-fault"' in page.text


def test_a_typed_code_is_found_as_people_type_it(client: FlaskClient, code: str) -> None:
    found = client.get("/o/ward/guide/find", query_string={"code": f" {code[:3].lower()}-{code[3:]} "})
    assert found.location.endswith(PLAN + code)
    wrong = client.get("/o/ward/guide/find?code=ABCDEF")
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text


@pytest.mark.parametrize("path", ["/o/ward/guide/ask/nowhere", "/o/nowhere/guide", f"{PLAN}AAAAAA", f"{PLAN}x/sheet"])
def test_what_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_every_language_has_every_page(client: FlaskClient, code: str) -> None:
    for each in LANGUAGES:
        for path in ("/o/ward/guide", ASK, f"{ASK}?day=unknown", PLAN + code, f"{PLAN}{code}/sheet"):
            answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={each}")
            assert answer.status_code == 200, (each, path)
            assert "%(" not in answer.text
            assert "《" not in answer.text, (each, path)


def test_the_menu_of_languages_keeps_the_answers(client: FlaskClient) -> None:
    page = client.get(f"{ASK}?day=2026-03-27&mnc=yes").text
    assert "?day=2026-03-27&amp;mnc=yes&amp;lang=en" in page


def test_one_number_for_the_whole_set(client: FlaskClient, code: str) -> None:
    page = client.get(PLAN + code).text
    form = {
        name: re.findall(rf'name="{name}" value="([^"]*)"', page)
        for name in ("csrf_token", "idempotency_key", "service")
    }
    assert len(form["service"]) == 6
    taken = client.post("/o/ward/take", data=form)
    assert taken.status_code == 303
    ticket = client.get(taken.location).text
    assert "国民健康保険の加入" in ticket
    assert "子ども医療費助成" in ticket


def test_a_branch_says_where_else(client: FlaskClient) -> None:
    end = client.get("/o/branch/guide/ask/marriage?end=1").location
    page = client.get(end).text
    assert f'href="{end.replace("branch", "ward")}"' in page
    assert "1回の来庁で" not in page


def test_the_sheet_is_a_tagged_pdf_in_every_language(client: FlaskClient, code: str) -> None:
    for each in ("ja", "ja-Hira", "en", "ko", "pt"):
        answer = client.get(f"{PLAN}{code}/sheet.pdf?day=2026-03-27&lang={each}")
        assert answer.mimetype == "application/pdf"
        assert answer.data.startswith(b"%PDF-")
        assert b"/StructTreeRoot" in answer.data, each


def test_a_sensitive_event_is_not_named_on_paper(client: FlaskClient) -> None:
    end = client.get("/o/ward/guide/ask/divorce?end=1").location
    assert "divorce" not in end
    paper = client.get(f"{end}/sheet").text
    body = paper[paper.index("<article") :]
    assert "離婚" not in body
    assert "相談" in body


def test_what_happened_is_told_to_no_other_site(client: FlaskClient, code: str) -> None:
    for path in (ASK, PLAN + code):
        assert client.get(path).headers["Referrer-Policy"] == "no-referrer"


def test_paper_stands_on_its_own_fonts() -> None:
    """A page may not depend on what the machine has installed."""
    assert {file.suffix for file in press.FONTS.iterdir()} == {".ttf"}
    assert "ignore_system_fonts=True" in Path(press.__file__).read_text()
